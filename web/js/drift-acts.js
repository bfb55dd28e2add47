// The answers to drift: adopt what clouds have, one or all that the filters leave, after the server has said what would become of each;
// and the Terraform of it, beside.
import { create, get } from './api.js';
import { ask } from './form.js';
import { plural } from './format.js';
import { report } from './toasts.js';

// MOST is how many blocks one request adopts.
const MOST = 5000;

// SHOWN is how many refusals are told.
const SHOWN = 5;

// adopt asks how, shows what would become of each, and adopts them in one transaction.
export function adopt(drifts, list, complete = true) {
  const ids = [...new Set(drifts.map((d) => d.observed + '@' + d.cidr))].slice(0, MOST);
  const bodyOf = ({ tags, ...body }) => ({ ids, ...body, ...(tags && tags.length && { tags }) });
  ask({
    title: 'Adopt ' + (ids.length === 1 ? drifts[0].cidr : plural(ids.length, 'block')), word: 'Adopt',
    lead: 'They become desired, and nothing in the cloud is touched: networks become pools, subnets allocations of the pool around them. What cannot be adopted keeps nothing else back.' + (complete ? '' : ' These are the first ' + MOST + ' of them.'),
    fields: [
      { name: 'networks', label: 'Networks become', kind: 'select', required: true, value: 'pools', options: [['pools', 'pools'], ['allocations', 'allocations'], ['none', 'nothing: they stay as they are']] },
      { name: 'labels', label: 'Labels', kind: 'labels', placeholder: 'team=net' }, { name: 'tags', label: "The cloud's tags that become labels", kind: 'words', placeholder: 'team, cost', more: true },
    ],
    preview: { word: 'Show what would become of them', run: async (body) => outcome(await create(['adoptions'], { ...bodyOf(body), dry_run: true }, 'look-' + Date.now())) },
    send: (body, key) => create(['adoptions'], bodyOf(body), key), told: (done) => 'Adopted ' + plural(done.adopted, 'block'),
    done: async (done) => {
      list.chosen = [];
      if (done.refused) report({ title: plural(done.refused, 'block') + ' refused', text: refusals(done).join(' ') });
      await list.load();
      await showModules(list, [...new Set(done.items.filter((i) => i.verdict !== 'refused').map((i) => i.account))]);
    },
  });
}

// outcome says in words what would become of what was asked for.
function outcome(done) {
  const counts = [[done.adopted, 'would be adopted'], [done.already, 'adopted already'], [done.inside, 'inside an allocation that has their space'], [done.refused, 'refused']];
  const made = done.items.filter((i) => i.verdict === 'adopted').slice(0, SHOWN).map((i) => i.cidr + ' becomes the ' + i.kind + ' ' + i.name + (i.pool ? ' in ' + i.pool : ''));
  return [counts.filter(([n]) => n).map(([n, words]) => n + ' ' + words).join(', ') + '.', ...made, ...(done.adopted > SHOWN ? ['and so on'] : []), ...refusals(done)].join('\n');
}

function refusals(done) {
  const refused = done.items.filter((i) => i.verdict === 'refused');
  return [...refused.slice(0, SHOWN).map((i) => (i.cidr || i.id) + ': ' + (i.problem ? i.problem.detail : 'refused')), ...(refused.length > SHOWN ? [refused.length - SHOWN + ' more.'] : [])];
}

// showModules opens the drawer with the Terraform of accounts: what was adopted, with import blocks.
export async function showModules(list, accounts) {
  if (!accounts.length) return;
  try {
    const texts = await Promise.all(accounts.map(modulesOf));
    list.tell({
      id: accounts.join(), title: 'Terraform of ' + accounts.join(', '), lead: 'Root modules with import blocks: the first plan imports all and changes nothing.', terraform: texts.map(({ text }) => text).join('\n'),
      facts: texts.flatMap(({ left }) => left), links: accounts.map((account) => ({ href: tarOf(account), text: 'The files of ' + account + ' as a tar' })),
    });
  } catch (error) {
    report(error, 'The Terraform of it could not be written');
  }
}

// modulesOf is all the files of an account as one text, and what is in none of them as facts.
export async function modulesOf(account) {
  const { files, left_out: left } = await get(['terraform-modules'], { account });
  const why = { not_adopted: 'not adopted', terraform: 'made by Terraform', set: 'member of a set' };
  return { text: files.map((f) => '# ' + f.path + '\n\n' + f.content.trim() + '\n').join('\n') || '# Nothing of ' + account + ' was adopted yet.', left: left.slice(0, SHOWN).map((l) => ({ name: why[l.why] || l.why, value: l.id + ' ' + l.cidr, class: { mono: true, line: false } })) };
}

export function tarOf(account) { return '/api/v1/terraform-modules?' + new URLSearchParams({ account, format: 'tar' }); }
