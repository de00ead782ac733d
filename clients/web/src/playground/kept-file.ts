// Keeps a chosen file while its owner signs in, and gives it back once.

const STORE = "files";
const KEY = "chosen";
/** After this time nobody comes back for it. */
const KEPT_MS = 30 * 60 * 1000;

interface Kept {
  readonly file: File;
  readonly at: number;
}

/** Keeps the file. A browser that cannot, as in some private windows, does not: no harm is done. */
export async function keepFile(file: File): Promise<void> {
  await inStore((store) => store.put({ file, at: Date.now() } satisfies Kept, KEY)).catch(
    () => undefined,
  );
}

/** Returns the file that was kept, if there is one, and keeps it no longer. */
export async function takeKeptFile(): Promise<File | null> {
  try {
    const kept = await inStore<Kept | undefined>((store) => {
      const request = store.get(KEY);
      store.delete(KEY);
      return request;
    });
    return kept && Date.now() - kept.at < KEPT_MS ? kept.file : null;
  } catch {
    return null;
  }
}

async function inStore<Value>(act: (store: IDBObjectStore) => IDBRequest<Value>): Promise<Value> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const opening = indexedDB.open("ocr.playground", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  try {
    return await new Promise<Value>((resolve, reject) => {
      const transaction = database.transaction(STORE, "readwrite");
      const request = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}
