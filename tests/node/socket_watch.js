// SPDX-License-Identifier: MIT
// Watches a server with socket.io-client as it stands, until it is killed.
//   node socket_watch.js '{"url": ..., "options": {...}, "emit": [[name, arg]]}'
// Prints a line of JSON for each thing that happens; says what it emits on
// each connect, with an acknowledgement asked for.
import { io } from "socket.io-client";

const asked = JSON.parse(process.argv[2]);
const socket = io(asked.url, {
  reconnectionDelay: 50,
  reconnectionDelayMax: 200,
  ...asked.options,
});
const say = (what, data) => console.log(JSON.stringify([what, data ?? null]));

socket.on("connect", () => {
  const engine = socket.io.engine;
  say("connect", engine.transport.name);
  engine.once("upgrade", (transport) => say("upgrade", transport.name));
  for (const [name, ...args] of asked.emit ?? []) {
    socket.emit(name, ...args, (answer) => say("ack " + name, answer));
  }
});
socket.on("disconnect", (reason) => say("disconnect", reason));
socket.on("connect_error", (error) => {
  say("connect_error", { message: error.message, data: error.data ?? null });
});
socket.onAny((name, data) => say(name, data));
