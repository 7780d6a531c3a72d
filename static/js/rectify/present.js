// Captions in words, and what this page remembers of the pictures.

import { number } from "../review/words.js";

const STATES = { unread: "not read", read: "read", confirmed: "confirmed" };

/** How far people have come with it. */
export function stateWords({ state, own, read_by: reader }) {
  if (state !== "read") return STATES[state];
  return own ? "read by you" : `read by ${reader ?? "you"}`;
}

export function measures({ landform, dem_min: low, dem_max: high, slope, caption }) {
  const parts = [
    landform,
    low !== null && high !== null && `${number(Math.round(low))} to ${number(Math.round(high))} m`,
    slope !== null && `slope ${slope.toFixed(1)}°`,
    `doubt ${Math.round(100 * caption.doubt)} %`,
    `by ${caption.origin === "person" ? caption.author : caption.origin}`,
  ];
  return parts.filter(Boolean).join(" · ");
}

/** What is to be said about a text that somebody wrote. state: of its save. over: an older version than stands. */
export function draftWords({ drafted, over, state }) {
  if (state?.kind === "sending") return "Saving …";
  if (state?.message) return `Not saved. ${state.message}`;
  if (!drafted) return "";
  return `A draft, not saved.${over ? " The caption was changed since you began: saving will show both texts." : ""}`;
}

/** The layers of this page are remembered apart from those of the review: here the picture is to be large. */
export function ownLayers(preferences) {
  return {
    get: () => preferences.get("rectify").viewer ?? { layers: ["png"] },
    set: (_name, viewer) => preferences.set("rectify", { ...preferences.get("rectify"), viewer }),
  };
}
