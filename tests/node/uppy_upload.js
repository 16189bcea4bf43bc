// SPDX-License-Identifier: MIT
// Uploads a file with Uppy and its tus plugin as they stand, in what passes
// for a browser.
//   node uppy_upload.js '{"endpoint", "path", "name", "options": {...}}'
// Prints {"successful": n, "failed": [message...]}.
import fs from "node:fs";
import { register } from "node:module";
import { XMLHttpRequest } from "./xhr.js";

register("./browser.js", import.meta.url);
globalThis.XMLHttpRequest = XMLHttpRequest;
globalThis.window = globalThis;
const { Uppy } = await import("@uppy/core");
const { default: Tus } = await import("@uppy/tus");

const asked = JSON.parse(process.argv[2]);
const uppy = new Uppy().use(Tus, {
  endpoint: asked.endpoint,
  limit: 4,
  storeFingerprintForResuming: false,
  ...asked.options,
});
uppy.addFile({
  name: asked.name,
  type: "application/octet-stream",
  data: new Blob([fs.readFileSync(asked.path)]),
});
const result = await uppy.upload();
console.log(
  JSON.stringify({
    successful: result.successful.length,
    failed: result.failed.map((file) => String(file.error)),
  }),
);
process.exit(0);
