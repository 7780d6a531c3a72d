// What a verdict will make of a tile, so that it shows before the server has said so. The server has the last word.

const STATE_OF = { approve: "approved", reject: "rejected", unsure: "unsure" };

/** What the filter by state shows that is work. Who goes through anything else only looks. */
export const WORK = ["queue", "pending", "unsure", "second", "disputed"];

/** Whether a tile in this state waits for somebody else than those who gave a verdict. */
export function waits(state) {
  return state === "second" || state === "disputed";
}

/** Whether a tile that is shown so is work for this person. */
export function waitsFor({ state, yours }) {
  return state === "pending" || (waits(state) && !yours);
}

/** {state, reason} after a verdict of this person about a tile that stands at `shown`. */
export function expected(item, shown, verb, reason) {
  const settled = { state: STATE_OF[verb], reason };
  if (!item.second_look) return settled;
  if (shown.yours) return shown.state === "second" && verb === "unsure" ? settled : { state: shown.state, reason: "" };
  // Whether two agree is not known here: that they do is likelier.
  if (waits(shown.state) || verb === "unsure" || shown.state === settled.state) return settled;
  return { state: "second", reason: "" };
}
