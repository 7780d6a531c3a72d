// Single keys without modifiers. Digits go by position (`code`), so that AZERTY works; the rest by character (`key`),
// unless a binding names a place, such as KeyW.
// Keys are taken in order: the next one waits until what the last one started is done, and is read in the scope that
// stands then.

const TYPING = "input:not([type=button], [type=checkbox], [type=radio], [type=range], [type=submit]), select, textarea";
const PRESSING = new Set(["Enter", " "]);
const PLACE = /^Key[A-Z]$/;
const HELD = new Set(["KeyW", "KeyA", "KeyS", "KeyD", "+", "-"]);

/** `Digit1` for the key 1 wherever it lies, else the character in lower case. */
export function nameOf(event) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code ?? "");
  if (digit && !event.shiftKey) return digit[1];
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}

/** A field of a dialog that has just been closed keeps the focus for a moment: nobody types there any more. */
function isTyping(target) {
  if (!(target instanceof HTMLElement) || !(target.matches(TYPING) || target.isContentEditable)) return false;
  return target.checkVisibility?.() ?? true;
}

export class Keys {
  #scopes = [];
  #waiting = Promise.resolve();

  constructor(target = document) {
    target.addEventListener("keydown", (event) => this.#pressed(event));
  }

  /**
   * Bind names of keys to actions; the scope opened last is the only one that counts, unless it is `through`: then keys
   * that it does not bind go on to the one before. Returns how to close it.
   */
  open(bindings, { through = false } = {}) {
    const scope = { bindings: new Map(Object.entries(bindings)), through };
    this.#scopes.push(scope);
    return () => {
      this.#scopes = this.#scopes.filter((other) => other !== scope);
    };
  }

  /** Run `action` in its turn, as if a key had asked for it. */
  run(action) {
    const done = this.#waiting.then(action);
    this.#waiting = done.catch((error) => reportError(error));
    return done;
  }

  #binding(names) {
    for (const { bindings, through } of this.#scopes.toReversed()) {
      const name = names.find((each) => bindings.has(each));
      if (name) return bindings.get(name);
      if (!through) return undefined;
    }
    return undefined;
  }

  #pressed(event) {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (isTyping(event.target)) return;
    const name = nameOf(event);
    if (event.shiftKey && name !== "?" && name !== "+") return;
    const names = PLACE.test(event.code) ? [event.code, name] : [name];
    if (PRESSING.has(name) && event.target.closest?.("button, a, summary")) return;
    if (name.startsWith("Arrow") && event.target.matches?.("[data-own-arrows]")) return;
    if (event.repeat && !name.startsWith("Arrow") && !HELD.has(names[0])) return;
    if (this.#binding(names)) event.preventDefault();
    this.run(() => this.#binding(names)?.());
  }
}
