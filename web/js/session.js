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
  const next = new URLSearchParams(location.search).get('next') || '/pools';
  let url;
  try {
    url = new URL(next, location.origin);
  } catch {
    return '/pools';
  }
  if (url.origin !== location.origin || url.pathname === '/login') return '/pools';
  return url.pathname + url.search;
}
