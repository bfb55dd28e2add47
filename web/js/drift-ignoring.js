// Ignoring drift, one or any number, until its facts change; and taking that back.
import { Problem, act, all, idempotencyKey } from './api.js';
import { ask } from './form.js';
import { plural } from './format.js';
import { note, report } from './toasts.js';

// MOST is how many differences one request answers.
const MOST = 5000;

// chosenOr are the differences that were chosen, or else all that the filters leave, as {items, complete}.
export async function chosenOr(list, only = {}) {
  const chosen = list.chosenItems();
  return chosen.length ? { items: chosen, complete: true } : all(['drifts'], { ...list.query(), ...only }, MOST);
}

// ignore asks why. What was refused is told one by one, and keeps nothing else back.
export function ignore(drifts, list, complete = true) {
  const what = drifts.length === 1 ? drifts[0].cidr : plural(drifts.length, 'difference');
  ask({
    title: 'Ignore ' + what + '?', word: 'Ignore',
    lead: 'What is ignored leaves this list until its facts change: then it is here again. Nothing is touched, neither here nor in a cloud, and it can be taken back.' + (complete ? '' : ' These are the first ' + MOST + ' of them.'),
    fields: [{ name: 'reason', label: 'Reason', required: true, max: 1024, help: 'For whoever reads it next year.' }],
    send: (body, key) => answer('ignore', drifts, body, key), told: (n) => 'Ignored ' + plural(n, 'difference'), done: () => after(list),
  });
}

// seeAgain takes back what somebody ignored. What a rule ignores stays so.
export async function seeAgain(drifts, list) {
  const byHand = drifts.filter((d) => d.ignored);
  if (!byHand.length) return report({ title: 'Nothing to see again', text: 'Rules ignore these, and nobody by hand: it takes another rule to see them.' });
  try {
    const n = await answer('see', byHand, {}, idempotencyKey());
    note(plural(n, 'difference') + ' to be seen again');
    await after(list);
  } catch (error) {
    report(error, 'They are ignored still');
  }
}

async function answer(word, drifts, body, key) {
  const { items } = await act(['drift-answers'], { answer: word, scope: drifts[0].scope, ids: drifts.map((d) => d.id), ...body }, key);
  const refused = items.filter((item) => item.problem).map((item) => new Problem(item.problem.status, item.problem));
  if (refused.length === items.length) throw refused[0];
  if (refused.length) report({ title: refused.length + ' were not answered', text: refused[0].text });
  return items.length - refused.length;
}

// after closes the drawer: what was open in it has left the list.
function after(list) {
  list.chosen = [];
  list.closeDrawer();
  return list.load();
}
