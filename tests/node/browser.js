// SPDX-License-Identifier: MIT
// Resolves packages as the bundlers of web pages do: their field "browser"
// says which files of theirs are for one.

export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  const url = found.url.replace(
    "/tus-js-client/lib.es5/node/index.js",
    "/tus-js-client/lib.es5/browser/index.js",
  );
  return { ...found, url };
}
