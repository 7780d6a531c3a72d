// Single keys without modifiers. Digits go by their place on the keyboard (`code`), so that AZERTY works; the rest by
// character (`key`), unless a binding names a place. Keys are taken in order: the next one waits until what the last one
// started is done, and is read in the scope that stands then.

const TYPING = "input:not([type=button], [type=checkbox], [type=radio], [type=range], [type=submit]), select, textarea";
const PRESSING = new Set(["Enter", " "]);
const MOVING = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"]);
const OWN = "[data-own-arrows], input[type=range], input[type=radio]";
const PLACE = /^Key[A-Z]$/;

/**
 * What a key press may be bound as, the first that is bound counts: `KeyW` for the key at that place, `1` for the digit's
 * key wherever its character lies, the character in lower case, or the name of a key without one. With Shift only signs
 * count, such as ? and +, which need it on some keyboards.
 */
export function namesOf(event) {
  const character = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.shiftKey) return character.length === 1 && !/[\p{L}\p{N}]/u.test(character) ? [character] : [];
  const digit = /^Digit(\d)$/.exec(event.code ?? "")?.[1];
  if (digit) return [digit];
  return PLACE.test(event.code ?? "") ? [event.code, character] : [character];
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
    const known = new Map(Object.entries(bindings));
    return this.#open((name) => known.get(name), through);
  }

  /** Bind actions by their ids to the keys that a Keymap has for them, as it has them then. Returns how to close it. */
  follow(keymap, actions) {
    return this.#open((name) => {
      const action = keymap.actionOf(name);
      const does = action && actions[action.id];
      return does && Object.assign(() => does(), { repeats: action.repeats });
    });
  }

  /** Run `action` in its turn, as if a key had asked for it. */
  run(action) {
    const done = this.#waiting.then(action);
    this.#waiting = done.catch((error) => reportError(error));
    return done;
  }

  #open(find, through = false) {
    const scope = { find, through };
    this.#scopes.push(scope);
    return () => {
      this.#scopes = this.#scopes.filter((other) => other !== scope);
    };
  }

  #binding(names) {
    for (const { find, through } of this.#scopes.toReversed()) {
      for (const name of names) {
        const found = find(name);
        if (found) return found;
      }
      if (!through) return undefined;
    }
    return undefined;
  }

  #pressed(event) {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (isTyping(event.target)) return;
    const names = namesOf(event);
    const { key } = event;
    if (PRESSING.has(key) && event.target.closest?.("button, a, summary")) return;
    if (MOVING.has(key) && event.target.matches?.(OWN)) return;
    const binding = this.#binding(names);
    if (event.repeat && !MOVING.has(key) && !binding?.repeats) return;
    if (binding) event.preventDefault();
    this.run(() => this.#binding(names)?.());
  }
}
