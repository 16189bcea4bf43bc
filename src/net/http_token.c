/* SPDX-License-Identifier: MIT */
#include "net/http_token.h"

#include <stdint.h>

#define TOKEN 1u
#define VALUE 2u
#define TARGET 4u
#define HOST 8u

#define V VALUE
#define T (VALUE | TARGET)                /* visible, nothing more */
#define N (VALUE | TOKEN)                 /* the fragment's mark */
#define K (VALUE | TARGET | TOKEN)        /* of tokens */
#define H (VALUE | TARGET | HOST)         /* of hosts */
#define A (VALUE | TARGET | TOKEN | HOST) /* of both */

/* clang-format off */
static const uint8_t classes[256] = {
	/* 00 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, V, 0, 0, 0, 0, 0, 0,
	/* 10 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	/*    SP !  "  #  $  %  &  '  (  )  *  +  ,  -  .  /  */
	      V, A, T, N, A, A, A, A, H, H, A, A, T, A, A, T,
	/*    0  1  2  3  4  5  6  7  8  9  :  ;  <  =  >  ?  */
	      A, A, A, A, A, A, A, A, A, A, H, H, T, H, T, T,
	/*    @  A  B  C  D  E  F  G  H  I  J  K  L  M  N  O  */
	      T, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A,
	/*    P  Q  R  S  T  U  V  W  X  Y  Z  [  \  ]  ^  _  */
	      A, A, A, A, A, A, A, A, A, A, A, H, T, H, K, A,
	/*    `  a  b  c  d  e  f  g  h  i  j  k  l  m  n  o  */
	      K, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A,
	/*    p  q  r  s  t  u  v  w  x  y  z  {  |  }  ~ DEL */
	      A, A, A, A, A, A, A, A, A, A, A, T, K, T, A, 0,
	/* 80 */ T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
	/* 90 */ T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
	/* a0 */ T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
	/* b0 */ T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
	/* c0 */ T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
	/* d0 */ T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
	/* e0 */ T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
	/* f0 */ T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
};
/* clang-format on */

static bool
all_are(struct slice s, unsigned wanted)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if ((classes[(unsigned char)s.p[i]] & wanted) == 0)
			return false;
	}
	return true;
}

bool
http_token_is_valid(struct slice s)
{
	return s.n > 0 && all_are(s, TOKEN);
}

bool
http_token_is_value(struct slice s)
{
	return all_are(s, VALUE);
}

bool
http_token_is_target(struct slice s)
{
	return s.n > 0 && all_are(s, TARGET);
}

bool
http_token_is_host(struct slice s)
{
	return all_are(s, HOST);
}
