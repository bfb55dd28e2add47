// Who is signed in: a bearer token in the session storage of this tab, nowhere else.
const TOKEN = 'cloudpam.token';
const NOTICE = 'cloudpam.notice';

export function token() {
  return sessionStorage.getItem(TOKEN) || '';
}

export function begin(value) {
  sessionStorage.setItem(TOKEN, value);
}

// end forgets the token and opens the login page, which says the given words and leads back to where one was.
export function end(words) {
  sessionStorage.removeItem(TOKEN);
  if (words) sessionStorage.setItem(NOTICE, words);
  if (location.pathname === '/login') return;
  location.replace('/login?next=' + encodeURIComponent(location.pathname + location.search));
}

// signOut forgets the token because the person asked for it, so nothing leads back.
export function signOut() {
  sessionStorage.removeItem(TOKEN);
  location.assign('/login');
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
