/** The server: what it runs, and its answers to videos. */

/** What went wrong, in words for the page. */
export class ApiError extends Error {}

/** Returns what `GET v1/model` says, once the server is ready; fails before. */
export async function readModel() {
  const health = await fetch("health", { cache: "no-store" });
  if (!health.ok) throw new ApiError(failure(health.status, null, null));
  const response = await fetch("v1/model", { cache: "no-store" });
  const body = await response.json().catch(() => null);
  if (!response.ok || !body) throw new ApiError(failure(response.status, body, null));
  return body;
}

/**
 * Sends a video and returns the answer.
 *
 * `onUpload(share)` is called while the file travels, with 0 to 1; `onSent()` once it is there.
 * Aborting `signal` closes the connection and rejects with an `AbortError`.
 */
export function analyse(task, file, { topK, signal, onUpload, onSent }) {
  const request = new XMLHttpRequest();
  const query = task === "classify" ? `?top_k=${topK}&windows=true` : "";
  const form = new FormData();
  form.append("file", file);
  return new Promise((resolve, reject) => {
    const abort = () => request.abort();
    let sent = false;
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onUpload(event.loaded / event.total);
    });
    request.upload.addEventListener("load", () => {
      sent = true;
      onSent();
    });
    request.addEventListener("load", () => {
      const { status, response } = request;
      if (status === 200 && response) resolve(response);
      else reject(new ApiError(failure(status, response, request.getResponseHeader("Retry-After"))));
    });
    request.addEventListener("error", () => reject(new ApiError(sent ? BROKEN : UNSENT)));
    request.addEventListener("abort", () => reject(new DOMException("Cancelled", "AbortError")));
    request.addEventListener("loadend", () => signal.removeEventListener("abort", abort));
    signal.addEventListener("abort", abort);
    request.open("POST", `v1/${task}${query}`);
    request.responseType = "json";
    request.send(form);
  });
}

const UNSENT =
  "The video could not be sent. The server may have stopped or refused the file, " +
  "or the file has changed or gone since it was chosen.";
const BROKEN = "The connection to the server broke before it answered.";
const WORDS = {
  413: "The video is too large for this server.",
  415: "The file is not a video.",
  429: "The server is busy.",
  503: "The server is busy.",
  504: "The server took too long and gave up.",
};

function failure(status, body, retryAfter) {
  let words = body?.error?.message || WORDS[status] || `The server answered with status ${status}`;
  if (!/[.!?]$/.test(words)) words += ".";
  const wait = Number(retryAfter);
  return wait > 0 && !words.includes("Try again") ? `${words} Try again in ${wait} s.` : words;
}
