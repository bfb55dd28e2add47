// The one place that talks to the server. It reads, creates, changes and releases on /api/v1, as whoever the session of this browser is.
import * as session from './session.js';

const DRY = { 'Cloudpam-Dry-Run': 'true' };

// Problem is a refusal of the server (RFC 9457) or the lack of any answer, in words fit to be shown.
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || 'The server answered ' + status);
    this.status = status;
    this.code = body.code || '';
    this.title = body.title || 'The server answered ' + status;
    this.errors = body.errors || [];
    this.holders = body.holders || [];
    this.violations = body.violations || [];
    this.request = body.request_id || '';
  }

  // text is the detail followed by what is wrong with which field.
  get text() {
    const details = this.errors.map((e) => e.detail).filter((d) => d !== this.message);
    return [this.message, ...details].join(' ');
  }

  // query returns what the server says about one parameter of the query, or ''.
  query(name) { return this.at('query:' + name); }

  // field returns what the server says about one field of the body, or ''.
  field(name) { return this.at('/' + name); }

  at(pointer) {
    const error = this.errors.find((e) => e.pointer === pointer);
    return error ? error.detail : '';
  }
}

// get reads one resource. path is a list of segments, so that an id with a slash cannot become another address.
export async function get(path, query = {}, options = {}) {
  const answer = await request(path, query, { signal: options.signal });
  if (answer.ok) return answer.json();
  throw await refusal(answer, true);
}

// create makes one resource and returns it. The same key makes a repeated request the same one, whose first answer may have
// been lost.
export async function create(path, body, key) {
  const answer = await request(path, {}, { method: 'POST', headers: { 'Idempotency-Key': key, 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  if (answer.ok) return answer.json();
  throw await refusal(answer, true);
}

// change changes one resource as it was read, unless somebody changed it meanwhile, and returns it. The same key makes a
// repeated request the same one, whose first answer may have been lost.
export async function change(path, body, known, key) {
  const headers = { 'Idempotency-Key': key, 'Content-Type': 'application/json', 'If-Match': tag(known) };
  const answer = await request(path, {}, { method: 'PATCH', headers, body: JSON.stringify(body) });
  if (answer.ok) return answer.json();
  throw await refusal(answer, true);
}

// put sets one resource to what the body says, in the place of what was read, or of nothing where known is null. Tried, it answers what
// it would, or its refusal, and nothing is changed.
export async function put(path, body, known, key, tried = false) {
  const headers = { 'Idempotency-Key': key, 'Content-Type': 'application/json', ...(known && { 'If-Match': tag(known) }), ...(tried && DRY) };
  const answer = await request(path, {}, { method: 'PUT', headers, body: JSON.stringify(body) });
  if (answer.ok) return answer.json();
  throw await refusal(answer, true);
}

// attempt asks what would be made, and makes nothing.
export async function attempt(path, body) {
  const answer = await request(path, {}, { method: 'POST', headers: { 'Content-Type': 'application/json', ...DRY }, body: JSON.stringify(body) });
  if (answer.ok) return answer.json();
  throw await refusal(answer, true);
}

// act asks for something that makes no resource of its own at the path: a preview, a test, a restoration.
export async function act(path, body = {}, key = '') {
  const headers = { 'Content-Type': 'application/json', ...(key && { 'Idempotency-Key': key }) };
  const answer = await request(path, {}, { method: 'POST', headers, body: JSON.stringify(body) });
  if (answer.ok) return answer.status === 204 ? {} : answer.json();
  throw await refusal(answer, true);
}

// all reads the pages of a list one after the other, as one: up to a number of items, and says whether that was all of them. What is
// asked of the first page alone, how many there are, is not asked again.
export async function all(path, { count, ...query }, most, options) {
  const first = await get(path, { ...query, count, limit: Math.min(1000, most) }, options);
  const items = [...first.items];
  let next = first.next_page_token || '';
  while (next && items.length < most) {
    const page = await get(path, { ...query, limit: Math.min(1000, most), page_token: next }, options);
    items.push(...page.items);
    next = page.next_page_token || '';
  }
  return { items, total: first.total, next_page_token: next, complete: !next };
}

// remove gives one resource up, where it is given as it was read unless somebody changed it meanwhile. The same key makes a
// repeated request the same one, whose first answer may have been lost.
export async function remove(path, key, known) {
  const headers = { 'Idempotency-Key': key, ...(known && { 'If-Match': tag(known) }) };
  const answer = await request(path, {}, { method: 'DELETE', headers });
  if (!answer.ok) throw await refusal(answer, true);
}

// who answers who is signed in, as { me, logins }: me is null where nobody is, logins are the issuers by which people can.
export async function who() {
  const answer = await ask('/session', {});
  if (answer.ok) return answer.json();
  throw await refusal(answer, false);
}

// signIn opens a session by a token.
export async function signIn(token) {
  const answer = await ask('/session', { method: 'POST', headers: { Authorization: 'Bearer ' + token } });
  if (!answer.ok) throw await refusal(answer, false);
}

// signOut ends the session of this browser.
export async function signOut() {
  const answer = await ask('/session', { method: 'DELETE' });
  if (!answer.ok) throw await refusal(answer, false);
}

// idempotencyKey works over plain HTTP too, where browsers withhold crypto.randomUUID.
export function idempotencyKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

// why says in words what went wrong, for the place where something is missing because of it.
export function why(error) {
  return (error.title || 'Something went wrong in the page') + ': ' + (error.text || error.message);
}

// tag is the ETag of an object as it was read.
function tag({ uid, version }) { return '"' + uid + '.' + version + '"'; }

// isAbort reports whether an error only means that a newer question replaced this one.
export function isAbort(error) {
  return error.name === 'AbortError';
}

// refusal reads why the server refused, and leads to the login when the session has ended.
async function refusal(answer, signedIn) {
  const problem = await readProblem(answer);
  if (problem.status === 401 && signedIn) session.end(problem.text);
  return problem;
}

async function request(path, query, { method = 'GET', headers = {}, body, signal }) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== '' && value !== undefined && value !== null) params.append(name, value);
  }
  const text = params.toString();
  const url = '/api/v1/' + path.map(encodeURIComponent).join('/') + (text ? '?' + text : '');
  return ask(url, { method, headers: { ...headers, 'Cloudpam-Source': 'ui' }, body, signal });
}

async function ask(url, { method = 'GET', headers = {}, body, signal }) {
  try {
    return await fetch(url, { method, headers: { ...headers, Accept: 'application/json' }, body, signal, credentials: 'same-origin', cache: 'no-store' });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new Problem(0, { title: 'No answer from the server', detail: 'It may be restarting, or the network between is down.' });
  }
}

async function readProblem(answer) {
  const type = answer.headers.get('Content-Type') || '';
  if (!type.includes('json')) return new Problem(answer.status, {});
  try {
    return new Problem(answer.status, await answer.json());
  } catch {
    return new Problem(answer.status, {});
  }
}
