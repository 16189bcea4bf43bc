// SPDX-License-Identifier: MIT
// The server of Socket.IO with the same events: POST /emit tells everyone who
// asked for subscribe_all of a transfer that begins and ends.  Prints its port.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer((request, response) => {
  if (request.method !== "POST") return;
  const [name, id] = [request.url.slice(1), "01a21b2b1f520000f3b9ff0281b2a601"];
  for (const status of ["uploading", "completed"]) {
    const now = new Date().toISOString();
    io.to("all").emit("transfer_update", {
      filename: name, status, checksum: null, encryption: false, priority: 0,
      progress: status === "completed" ? 100 : 0, speed: 0, eta: null,
      transferred_bytes: 1, total_bytes: 1, client_ip: "127.0.0.1",
      client_id: null, retry_count: 0, created_at: now, updated_at: now, id,
      direction: "upload", error: null,
    });
  }
  request.resume();
  response.end("{}");
});
const io = new Server(http);

io.on("connection", (socket) => {
  socket.on("subscribe_all", (answer) => {
    socket.join("all");
    if (typeof answer === "function") answer({ success: true });
  });
});
http.listen(0, "127.0.0.1", 65535, () => console.log(http.address().port));
