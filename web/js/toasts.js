// Short messages in the corner. A problem stays until it is dismissed; a note leaves by itself.
import Alpine from './alpine.js';
import { isAbort, why } from './api.js';

let last = 0;

export const toasts = {
  items: [],
  add(kind, title, text, request) {
    // One outage refuses many requests. What is told already is not told again.
    const told = this.items.find((toast) => toast.kind === 'problem' && toast.kind === kind && toast.title === title && toast.text === text);
    if (told) return told.id;
    const id = ++last;
    this.items = [...this.items.slice(-3), { id, kind, title, text: text || '', request: request || '' }];
    return id;
  },
  remove(id) {
    this.items = this.items.filter((toast) => toast.id !== id);
  },
};

export function note(title) {
  const store = Alpine.store('toasts');
  const id = store.add('note', title);
  setTimeout(() => store.remove(id), 2500);
}

// report shows what went wrong, below the words for what is missing because of it. A refused token is not shown here: the
// login page says it.
export function report(error, missing) {
  if (isAbort(error) || error.status === 401) return;
  const title = missing || error.title || 'Something went wrong in the page';
  Alpine.store('toasts').add('problem', title, missing ? why(error) : error.text || error.message, error.request ? 'request ' + error.request : '');
}
