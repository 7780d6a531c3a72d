// The keys of a page. What can be done is named once, on its button:
//   data-action   its id
//   data-keys     the keys it has until a person chooses another: `1` and `KeyW` are places on the keyboard, `u` and `?`
//                 characters, the rest names such as ArrowLeft; several are parted by spaces
//   data-words    what it does, for the list of keys; without it, the button's own words
//   data-repeats  goes on while its key is held
// Another button for the same action needs its id only.
// From this come what is printed on the buttons, what the list says, and what a key does. The place where a button
// stands, a toolbar or a section, is the heading under which it is listed.

const PRINTED = {
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  Escape: "Esc",
  " ": "Space",
  PageUp: "PgUp",
  PageDown: "PgDn",
  Backspace: "⌫",
  Delete: "Del",
};
const ENOUGH = 30;

/** Events: `change` whenever an action has another key, or its key another print. */
export class Keymap extends EventTarget {
  actions = [];
  #chosen;
  #preferences;
  #page;
  #byName = new Map();
  #layout = null;

  /** root: holds the buttons. page: the name under which `preferences`, if any, keeps what was chosen for this page. */
  constructor(root, { page, preferences = null }) {
    super();
    this.#page = page;
    this.#preferences = preferences;
    const kept = preferences?.get("keys")[page];
    this.#chosen = new Map(Object.entries(kept ?? {}).filter(([, name]) => typeof name === "string" && name.length < ENOUGH));
    for (const button of root.querySelectorAll("[data-action][data-keys]")) this.#add(button);
    for (const button of root.querySelectorAll("[data-action]:not([data-keys])")) {
      this.action(button.dataset.action)?.buttons.push(button);
    }
    this.#settle();
    navigator.keyboard?.getLayoutMap?.().then((layout) => this.#print(layout), () => {});
  }

  /** The action that a key stands for: {id, words, group, keys, own, repeats}; undefined for none. */
  actionOf(name) {
    return this.#byName.get(name);
  }

  action(id) {
    return this.actions.find((action) => action.id === id);
  }

  /** A key as it is printed on this keyboard, as far as the browser tells. */
  printed(name) {
    if (name.startsWith("Key")) return this.#layout?.get(name) ?? name.slice(3).toLowerCase();
    return PRINTED[name] ?? name;
  }

  /** The other action that has one of these names of a key, if any. */
  taken(id, names) {
    return names.map((name) => this.#byName.get(name)).find((action) => action && action.id !== id);
  }

  /** The name under which an action keeps a key: by place where its own key is one, else by character. */
  nameFor(id, names) {
    const byPlace = this.action(id).own[0].startsWith("Key");
    return byPlace ? names[0] : names.at(-1);
  }

  /** Give an action another key, which no other one has. */
  choose(id, name) {
    this.#change((chosen) => chosen.set(id, name));
  }

  /** Give an action the key of another, which gets this one's; or its own again, where this one has none. */
  swap(id, other, name) {
    const [before] = this.action(id).keys;
    this.#change((chosen) => {
      chosen.set(id, name);
      if (before) chosen.set(other, before);
      else chosen.delete(other);
    });
  }

  /** Back to an action's own keys; without an id, for all of them. */
  reset(id) {
    this.#change((chosen) => (id ? chosen.delete(id) : chosen.clear()));
  }

  isChosen(id) {
    return this.#chosen.has(id);
  }

  get anyChosen() {
    return this.actions.some(({ id }) => this.#chosen.has(id));
  }

  #add(button) {
    const { action: id, keys, words, repeats } = button.dataset;
    const known = this.action(id);
    if (known) {
      known.buttons.push(button);
      return;
    }
    const own = keys.split(" ").filter(Boolean);
    const group = button.closest("[role=group], [role=toolbar], section, nav")?.ariaLabel ?? "";
    const said = words ?? (button.ariaLabel || wordsOf(button));
    this.actions.push({ id, own, keys: own, words: said, group, repeats: repeats !== undefined, buttons: [button] });
  }

  #change(change) {
    change(this.#chosen);
    const all = { ...this.#preferences?.get("keys"), [this.#page]: Object.fromEntries(this.#chosen) };
    if (!this.#chosen.size) delete all[this.#page];
    this.#preferences?.set("keys", Object.keys(all).length ? all : null);
    this.#settle();
  }

  /** Chosen keys first, and own keys where they are still free. */
  #settle() {
    this.#byName.clear();
    for (const action of this.actions) {
      const name = this.#chosen.get(action.id);
      if (name && !this.#byName.has(name)) this.#byName.set(name, action);
    }
    for (const action of this.actions) {
      const keys = this.#chosen.has(action.id) ? [this.#chosen.get(action.id)] : action.own;
      for (const name of keys) if (!this.#byName.has(name)) this.#byName.set(name, action);
      action.keys = keys.filter((name) => this.#byName.get(name) === action);
    }
    this.#print(this.#layout);
  }

  #print(layout) {
    this.#layout = layout;
    for (const { keys, buttons } of this.actions) {
      const shortcuts = keys.map((name) => (name.startsWith("Key") ? this.printed(name) : name));
      for (const button of buttons) print(button, keys.length ? this.printed(keys[0]) : "", shortcuts.join(" "));
    }
    this.dispatchEvent(new CustomEvent("change"));
  }
}

function wordsOf(button) {
  const copy = button.cloneNode(true);
  for (const hidden of copy.querySelectorAll("kbd, [aria-hidden=true]")) hidden.remove();
  return copy.textContent.replaceAll("…", "").trim();
}

function print(button, key, shortcuts) {
  let shown = button.querySelector("kbd");
  if (!shown) {
    shown = document.createElement("kbd");
    shown.ariaHidden = "true";
    button.append(" ", shown);
  }
  if (shown.textContent !== key) shown.textContent = key;
  shown.hidden = !key;
  if (shortcuts) button.setAttribute("aria-keyshortcuts", shortcuts);
  else button.removeAttribute("aria-keyshortcuts");
}
