// An object as it was read: what is asked of it is refused when somebody changed it meanwhile, and it can be read again.
import { change, get, remove } from './api.js';

// subject is what a form needs to change an object.
export function subject(path, first) {
  let known = first;
  return {
    send: (body, key) => change(path, body, tag(known), key),
    reread: async () => { known = await get(path); },
  };
}

// leaving is what a form needs to give an object up.
export function leaving(path, first) {
  let known = first;
  return {
    send: (body, key) => remove(path, key, tag(known)),
    reread: async () => { known = await get(path); },
  };
}

function tag(known) { return { uid: known.uid || known.id, version: known.version }; }
