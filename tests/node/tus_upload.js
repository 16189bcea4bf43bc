// SPDX-License-Identifier: MIT
// Uploads a file with tus-js-client as it stands.
//   node tus_upload.js '{"endpoint": ..., "path": ..., "options": {...}}'
// Prints {"url": ..., "requests": [[method, status, bytes]...]} or {"error"}.
import fs from "node:fs";
import * as tus from "tus-js-client";

const asked = JSON.parse(process.argv[2]);
const requests = [];

const upload = new tus.Upload(fs.createReadStream(asked.path), {
  endpoint: asked.endpoint,
  retryDelays: [0, 20, 50, 100, 200, 200, 200, 200, 200, 200],
  onAfterResponse: (request, response) => {
    requests.push([request.getMethod(), response.getStatus()]);
  },
  onError: (error) => {
    console.log(JSON.stringify({ error: String(error), requests }));
    process.exit(1);
  },
  onSuccess: () => {
    console.log(JSON.stringify({ url: upload.url, requests }));
  },
  ...asked.options,
});
upload.start();
