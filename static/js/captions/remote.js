// The captions' JSON. Failures are those of lib/http.js.

import { request } from "../lib/http.js";

export function connect({ area, person }) {
  const tile = (index) => `/api/v1/areas/${encodeURIComponent(area)}/tiles/${index}/caption/`;
  const own = { person: person || undefined };
  return {
    read: (index) => request(tile(index)),
    save: (index, body) => request(tile(index), { method: "PUT", body, ...own }),
    history: (index, below) => request(`${tile(index)}revisions/${below ? `?below=${below}` : ""}`),
    preview: (index, body) => request(`${tile(index)}preview/`, { method: "POST", body, ...own }),
    keep: (index, body, keepalive = false) => request(`${tile(index)}draft/`, { method: "PUT", body, keepalive, ...own }),
    forget: (index) => request(`${tile(index)}draft/`, { method: "DELETE", ...own }),
    dismissal: (index, finding) => `${tile(index)}findings/${finding}/dismiss/`,
    undismissal: (index, finding) => `${tile(index)}findings/${finding}/restore/`,
    readings: (index) => `${tile(index)}readings/`,
    restore: (index, body) => request(`${tile(index)}restore/`, { method: "POST", body, ...own }),
  };
}
