// Texts that the server has not acknowledged, kept in the browser: they survive a reload, a new sign-in and a crash.
//
// A draft is { text, components, base, id, send, lost, at }: what was written over which version, components only where
// they are edited; the id of its save once there is one; whether it is to be sent; a text that was sent without an answer;
// when it was last changed.

export class Drafts {
  constructor({ person, area }) {
    this.prefix = `demeter.caption/${person}/${area}/`;
    this.memory = new Map(); // where the browser has no room, or forbids storage
  }

  get(index) {
    try {
      const kept = localStorage.getItem(this.prefix + index);
      if (kept !== null) return JSON.parse(kept);
    } catch {
      // fall through to the memory
    }
    return this.memory.get(index) || null;
  }

  put(index, draft) {
    const kept = { ...draft, at: new Date().toISOString() };
    try {
      localStorage.setItem(this.prefix + index, JSON.stringify(kept));
      this.memory.delete(index);
    } catch {
      this.memory.set(index, kept);
    }
    return kept;
  }

  drop(index) {
    this.memory.delete(index);
    try {
      localStorage.removeItem(this.prefix + index);
    } catch {
      // it was never there
    }
  }

  indexes() {
    const found = new Set(this.memory.keys());
    try {
      for (const name of Object.keys(localStorage)) {
        if (name.startsWith(this.prefix)) found.add(Number(name.slice(this.prefix.length)));
      }
    } catch {
      // memory only
    }
    return [...found].sort((one, other) => one - other);
  }
}
