/* SPDX-License-Identifier: MIT */
#include "crypto/digest.h"

/*
 * A CRC-32 is a remainder of polynomials over GF(2), modulo
 *
 *	P = x^32 + x^26 + x^23 + x^22 + x^16 + x^12 + x^11 + x^10 + x^8 +
 *	    x^7 + x^5 + x^4 + x^2 + x + 1
 *
 * with the bits in reverse: bit 31 is the factor of x^0.  Appending n bytes
 * multiplies what went before by x^8n, so crc(a || b) = crc(a) * x^8n +
 * crc(b): the inversions at the beginning and at the end cancel out.
 */

#define POLY 0xedb88320u /* P without x^32, reversed */
#define ONE 0x80000000u  /* x^0 */
#define X8 0x00800000u   /* x^8 */

/* a * b mod P. */
static uint32_t
multiply(uint32_t a, uint32_t b)
{
	uint32_t product = 0;
	uint32_t bit;

	for (bit = ONE; bit != 0; bit >>= 1) {
		if ((a & bit) != 0)
			product ^= b;
		/* b * x: where that has an x^32, it is as much as POLY. */
		b = (b >> 1) ^ ((b & 1) != 0 ? POLY : 0);
	}
	return product;
}

uint32_t
digest_crc32_combine(uint32_t a, uint32_t b, uint64_t n)
{
	uint32_t power = ONE;
	uint32_t square = X8;

	/* x^8n by squaring, a bit of n at a time */
	for (; n > 0; n >>= 1) {
		if ((n & 1) != 0)
			power = multiply(power, square);
		square = multiply(square, square);
	}
	return multiply(power, a) ^ b;
}
