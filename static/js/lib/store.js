// Records that outlast a reload: IndexedDB, or the page's memory where the browser keeps nothing.

const DATABASE = "demeter";
const VERSION = 2;
const STORES = ["outbox", "readings"];

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, VERSION);
    request.onupgradeneeded = () => {
      for (const name of STORES) {
        if (!request.result.objectStoreNames.contains(name)) request.result.createObjectStore(name, { keyPath: "id" });
      }
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
}

class Kept {
  lasting = true;

  constructor(database, name) {
    this.database = database;
    this.name = name;
  }

  all() {
    return settled(this.#objects("readonly").getAll());
  }

  get(id) {
    return settled(this.#objects("readonly").get(id));
  }

  /** Put and remove in one transaction; resolves once it is committed. The commit is asked for in the same breath, so
   *  that a page which is left a moment later does not take it back. */
  async write({ put = [], remove = [] }) {
    const objects = this.#objects("readwrite");
    for (const record of put) objects.put(record);
    for (const id of remove) objects.delete(id);
    const { transaction } = objects;
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    transaction.commit?.();
    await done;
  }

  #objects(mode) {
    return this.database.transaction(this.name, mode).objectStore(this.name);
  }
}

class Remembered {
  lasting = false;
  #records = new Map();

  async all() {
    return [...this.#records.values()];
  }

  async get(id) {
    return this.#records.get(id);
  }

  async write({ put = [], remove = [] }) {
    for (const record of put) this.#records.set(record.id, record);
    for (const id of remove) this.#records.delete(id);
  }
}

/** Records by `id`: all(), get(id), write({put, remove}). `lasting` says whether they survive a reload. */
export async function openStore(name) {
  try {
    return new Kept(await opened(), name);
  } catch {
    return new Remembered();
  }
}
