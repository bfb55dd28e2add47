// The one place that talks to the server. Everything it can say is GET on /api/v1 and a bearer token.
import * as session from './session.js';

// Problem is a refusal of the server (RFC 9457) or the lack of any answer, in words fit to be shown.
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || 'The server answered ' + status);
    this.status = status;
    this.code = body.code || '';
    this.title = body.title || 'The server answered ' + status;
    this.errors = body.errors || [];
    this.request = body.request_id || '';
  }

  // text is the detail followed by what is wrong with which field.
  get text() {
    const details = this.errors.map((e) => e.detail).filter((d) => d !== this.message);
    return [this.message, ...details].join(' ');
  }

  // query returns what the server says about one parameter of the query, or ''.
  query(name) {
    const error = this.errors.find((e) => e.pointer === 'query:' + name);
    return error ? error.detail : '';
  }
}

// get reads one resource. path is a list of segments, so that an id with a slash cannot become another address.
export async function get(path, query = {}, options = {}) {
  const answer = await request(path, query, options.token || session.token(), options.signal);
  if (answer.ok) return answer.json();
  const problem = await readProblem(answer);
  if (problem.status === 401 && !options.token) session.end(problem.text);
  throw problem;
}

// isAbort says whether an error only means that a newer question replaced this one.
export function isAbort(error) {
  return error.name === 'AbortError';
}

async function request(path, query, token, signal) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== '' && value !== undefined && value !== null) params.append(name, value);
  }
  const text = params.toString();
  const url = '/api/v1/' + path.map(encodeURIComponent).join('/') + (text ? '?' + text : '');
  try {
    return await fetch(url, { headers: { Authorization: 'Bearer ' + token, Accept: 'application/json' }, signal, credentials: 'same-origin', cache: 'no-store' });
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
