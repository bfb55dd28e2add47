// A part of a page has a request and a state of its own: 'loading', 'ready', or 'failed' with the words why. Only a part that
// is ready may say that there is nothing.
import { isAbort, why } from './api.js';

export function part() {
  return { state: 'loading', why: '' };
}

// read asks, and hands the answer to take. A part that fails says so where it stands, with a button that asks again. One that is asked
// quietly shows what it has meanwhile, and keeps it where that fails.
export async function read(part, ask, take) {
  const quietly = part.quietly && part.state === 'ready';
  part.quietly = false;
  if (!quietly) Object.assign(part, { state: 'loading', why: '' });
  try {
    take(await ask());
    part.state = 'ready';
  } catch (error) {
    if (!isAbort(error) && !quietly) Object.assign(part, { state: 'failed', why: why(error) });
  }
}
