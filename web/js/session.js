// Who is signed in. The session is a cookie that no script can read, of all tabs of this browser: the server says whose it is.
const NOTICE = 'cloudpam.notice';
const ROLES = ['viewer', 'planner', 'operator', 'admin'];

// end opens the login page, which says the given words and leads back to where one was.
export function end(words) {
  if (words) sessionStorage.setItem(NOTICE, words);
  if (location.pathname === '/login') return;
  location.replace('/login?next=' + encodeURIComponent(location.pathname + location.search));
}

// takeNotice returns what the login page should say, once.
export function takeNotice() {
  const words = sessionStorage.getItem(NOTICE) || '';
  sessionStorage.removeItem(NOTICE);
  return words;
}

// destination is where to go after signing in. It never leaves this origin, whatever a link to /login says.
export function destination() {
  const next = new URLSearchParams(location.search).get('next') || '/';
  const url = /^\/(?![/\\])/.test(next) && URL.canParse(next, location.origin) ? new URL(next, location.origin) : null;
  // Dots are resolved by now: '/.//host' has become '//host', which a browser takes for the address of another host.
  if (!url || url.origin !== location.origin || url.pathname.startsWith('//') || url.pathname === '/login') return '/';
  return url.pathname + url.search;
}

// rights are what pages ask about whoever is signed in: the answer of /principals/me, or null while nobody could be asked. Then
// everything is offered, and the server refuses.
export function rights(me) {
  const held = me ? [...me.bindings, ...me.rules] : [];
  const includes = (has, need) => ROLES.indexOf(has) >= ROLES.indexOf(need);
  return {
    name: me ? me.name : '',
    actor: me ? me.actor : '',
    kind: me ? me.kind : '',
    principal: me ? me.principal : '',
    issuer: (me && me.issuer) || '',
    subject: (me && me.subject) || '',
    rows: held.map((h, at) => ({ key: at, role: h.role, place: placeOf(h), from: h.rule ? 'the rule ' + h.rule : 'a binding' })),

    // may reports whether one has a role in a place: a scope, and the ids of the pools around, the own first. Without a scope it is
    // whether one has it anywhere, and without the pools one that is had in some pool of the scope counts. The server decides; this
    // only says what to offer.
    may(need, scope, pools) {
      if (!me) return true;
      return held.some((h) => includes(h.role, need) && h.pool !== ''
        && (!h.scope || scope === undefined || (h.scope === scope && (!h.pool || !pools || pools.includes(h.pool)))));
    },

    // mayEverywhere is may for what belongs to no scope.
    mayEverywhere(need) { return !me || held.some((h) => includes(h.role, need) && !h.scope); },
  };
}

function placeOf(h) {
  let place = 'everywhere';
  if (h.pool) place = 'in the pool ' + h.pool;
  else if (h.pool === '') place = 'in a pool that was deleted';
  else if (h.scope) place = 'in the scope ' + h.scope;
  const limits = Object.entries(h.labels || {}).map(([key, value]) => key + '=' + value);
  if (h.largest_prefix_length) limits.unshift('up to a /' + h.largest_prefix_length);
  return limits.length ? place + ', only ' + limits.join(', ') : place;
}
