// Asking the site for JSON. Every failure is a `Failure` with a sentence a person can read.

const NO_ANSWER = "There is no connection to the server.";
const TOO_SLOW = "The server does not answer.";
const NOT_OURS = "Something other than the server answered, a sign-in page of the network perhaps.";

/** `status` 0 means that no usable answer came; `data` is the JSON of the answer, when there was one. */
export class Failure extends Error {
  constructor(message, { status = 0, code = "", data = null, retryAfter = 0 } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.data = data;
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later without anybody doing anything. */
  get passing() {
    return this.status === 0 || this.status >= 500 || [408, 425, 429].includes(this.status);
  }

  /** Whether nobody, or somebody else, is signed in. */
  get signedOut() {
    return this.status === 401;
  }
}

/** The token as the cookie has it now: it changes with every sign-in, also in another tab. */
function csrfToken() {
  const found = document.cookie.match(/(?:^|; )csrftoken=([^;]*)/);
  return found ? decodeURIComponent(found[1]) : "";
}

/**
 * The answer's JSON. Throws a Failure; an AbortError of `signal` passes through.
 * person: id of whom the page belongs to, so that work is not sent as somebody else's. more: other headers. A body that
 * is a Blob is sent as it is, anything else as JSON. timeout: milliseconds until the last byte of the answer must be
 * here. keepalive: the request outlives the page.
 */
export async function request(
  url,
  { method = "GET", body, signal, timeout = 30_000, person, more = {}, keepalive = false } = {},
) {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), timeout);
  const give_up = () => limit.abort();
  signal?.addEventListener("abort", give_up);
  try {
    const response = await fetch(url, { ...asked({ method, body, person, more, keepalive }), signal: limit.signal });
    return await read(response);
  } catch (error) {
    if (signal?.aborted || error instanceof Failure) throw error;
    throw new Failure(limit.signal.aborted ? TOO_SLOW : NO_ANSWER);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", give_up);
  }
}

function asked({ method, body, person, more, keepalive }) {
  const headers = { Accept: "application/json", "X-Requested-With": "fetch", ...more };
  const bytes = body instanceof Blob;
  if (method !== "GET") headers["X-CSRFToken"] = csrfToken();
  if (body !== undefined) headers["Content-Type"] = bytes ? "application/octet-stream" : "application/json";
  if (person !== undefined) headers["X-Demeter-Person"] = String(person);
  const content = body === undefined || bytes ? body : JSON.stringify(body);
  return { method, headers, body: content, keepalive, credentials: "same-origin", redirect: "error" };
}

/** An answer that breaks off in the middle is none; the error of it passes through. */
async function read(response) {
  const data = await json(response);
  if (response.ok && data !== null) return data;
  if (response.ok) throw new Failure(NOT_OURS);
  throw new Failure(data?.message ?? `The server answered ${response.status}.`, {
    status: response.status,
    code: data?.code ?? "",
    data,
    retryAfter: Number(response.headers.get("Retry-After")) || 0,
  });
}

async function json(response) {
  if (!response.headers.get("Content-Type")?.startsWith("application/json")) return null;
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
