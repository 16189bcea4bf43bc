// SPDX-License-Identifier: MIT
// As much of a browser's XMLHttpRequest as upload libraries use, over fetch().

export class XMLHttpRequest {
  upload = {};
  readyState = 0;
  status = 0;
  responseText = "";
  withCredentials = false;
  #headers = new Headers();
  #answer = new Headers();
  #abort = new AbortController();
  #method;
  #url;

  open(method, url) {
    this.#method = method;
    this.#url = url;
    this.readyState = 1;
  }

  setRequestHeader(name, value) {
    this.#headers.set(name, value);
  }

  getResponseHeader(name) {
    return this.#answer.get(name);
  }

  getAllResponseHeaders() {
    return [...this.#answer].map(([k, v]) => `${k}: ${v}\r\n`).join("");
  }

  abort() {
    this.#abort.abort();
    this.onabort?.();
  }

  async send(body) {
    try {
      const response = await fetch(this.#url, {
        method: this.#method,
        headers: this.#headers,
        body: body ?? undefined,
        signal: this.#abort.signal,
      });
      this.#answer = response.headers;
      this.responseText = await response.text();
      this.status = response.status;
    } catch (error) {
      if (!this.#abort.signal.aborted) this.onerror?.(error);
      return;
    }
    this.readyState = 4;
    const size = body?.size ?? 0;
    this.upload.onprogress?.({
      lengthComputable: true,
      loaded: size,
      total: size,
    });
    this.onreadystatechange?.();
    this.onload?.();
    this.onloadend?.();
  }
}
