// What whoever is signed in may do, for components: the store says it, so that what was drawn is drawn again when it changes.
import Alpine from './alpine.js';

export const me = {
  may(...place) { return Alpine.store('me').may(...place); },
  who() { return Alpine.store('me'); },
  mayEverywhere(role) { return Alpine.store('me').mayEverywhere(role); },
};
