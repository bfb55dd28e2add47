// What may be done to the policy of a pool: set it, after trying it, and take it away.
import { get, put, remove } from './api.js';
import { ask } from './form.js';
import { bodyOf, fieldsOf } from './policy-rules.js';

// edit asks for the policy of a pool; policy is what it has of its own, or null. What is tried is what would be set.
export function edit(pool, policy, done) {
  let known = policy;
  ask({
    title: (policy ? 'Edit the policy of ' : 'A policy for ') + pool, word: 'Set it', fields: fieldsOf(policy),
    lead: 'It holds here and in all pools below, for what is asked for from now on. What stands is not touched. Empty is no rule.',
    preview: { word: 'Try it', run: async (body) => ((await put(['pools', pool, 'policy'], bodyOf(body, policy), known, 'tried-' + Date.now(), true)) && 'It agrees with the policies above and below, and nothing was changed.') },
    send: (body, key) => put(['pools', pool, 'policy'], bodyOf(body, policy), known, key), reread: async () => { known = await get(['pools', pool, 'policy']); },
    told: () => 'Set the policy of ' + pool, done,
  });
}

export function takeAway(pool, policy, done) {
  let known = policy;
  ask({
    title: 'Take the policy of ' + pool + ' away?', danger: true, word: 'Take it away', fields: [], lead: 'What the policies of pools around it ask for still holds.',
    send: (body, key) => remove(['pools', pool, 'policy'], key, known), reread: async () => { known = await get(['pools', pool, 'policy']); }, told: () => pool + ' has no policy of its own', done,
  });
}
