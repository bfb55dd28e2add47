// Releasing all that somebody's plans hold.
import { get, remove } from './api.js';

const PAGE = 1000;

// AT_ONCE is how many releases are under way at a time: enough to be quick, too few to get into anyone's way.
const AT_ONCE = 8;

// countAll finds every hold that has its space and passes the filters, beside the drafts that do.
export async function countAll(filters, drafts) {
  const holds = [];
  let next = '';
  do {
    const page = await get(['holds'], { ...filters, kept: true, limit: PAGE, page_token: next });
    holds.push(...page.items.map((hold) => hold.id));
    next = page.next_page_token || '';
  } while (next);
  return { holds, drafts: drafts.map((draft) => draft.id) };
}

// releaseAll ends with the first refusal. Asked again with the same key it goes on: what was released stays so.
export async function releaseAll({ holds, drafts }, key) {
  const paths = [...holds.map((id) => ['holds', id]), ...drafts.map((id) => ['pool-drafts', id])];
  for (let i = 0; i < paths.length; i += AT_ONCE) {
    await Promise.all(paths.slice(i, i + AT_ONCE).map((path) => release(path, key + '-' + path[1])));
  }
}

// release takes for done what is gone already: a draft leaves with the one around it.
async function release(path, key) {
  try {
    await remove(path, key);
  } catch (error) {
    if (error.status !== 404) throw error;
  }
}
