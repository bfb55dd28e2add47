// Who asks and what he may do: what a role may not do is not shown. The server decides all the same.
import Alpine from './alpine.js';
import { get } from './api.js';

// RANK orders the roles: each may do what those before it may.
const RANK = { viewer: 1, planner: 2, operator: 3, admin: 4 };

// bearer is the store of the page; me asks it, so that what was drawn before the answer is drawn again with it.
export const bearer = {
  words: '', bindings: [],

  async load() {
    try {
      const { actor, bindings } = await get(['principals', 'me']);
      this.bindings = bindings;
      const best = bindings.reduce((role, b) => ((RANK[b.role] || 0) > (RANK[role] || 0) ? b.role : role), '');
      this.words = actor + ', ' + (best || 'no role');
    } catch {
      // The page says what else it could not read. Without this answer nothing is offered that changes anything.
      this.words = 'What you may do could not be read';
    }
  },

  // may reports whether a role is had somewhere: everywhere, in the scope, or in one of the pools. Of a pool-bound role in the
  // scope, where the pools are not known, the server decides.
  may(role, scope, pools) {
    return this.bindings.some((b) => {
      if ((RANK[b.role] || 0) < RANK[role] || b.pool === '') return false;
      if (!b.scope || scope === undefined) return true;
      if (b.scope !== scope) return false;
      return !b.pool || !pools || pools.includes(b.pool);
    });
  },

  // mayEverywhere is for what belongs to no scope.
  mayEverywhere(role) {
    return this.bindings.some((b) => RANK[b.role] >= RANK[role] && !b.scope);
  },
};

export const me = {
  may(...place) { return Alpine.store('me').may(...place); },
  mayEverywhere(role) { return Alpine.store('me').mayEverywhere(role); },
};
