// What others change is told while a page stands open, by server-sent events. Where there is no stream, a page is as it was read.
const ADDRESS = '/api/v1/events/stream';

let source = null;
let last = '';

// listen hears what happens as long as the page is in sight: a browser has few connections for all of its tabs.
export function listen() {
  document.addEventListener('visibilitychange', () => (document.visibilityState === 'visible' ? open() : close()));
  addEventListener('pagehide', close);
  addEventListener('pageshow', open);
  open();
}

function open() {
  if (source || document.visibilityState !== 'visible') return;
  source = new EventSource(ADDRESS + (last ? '?after=' + encodeURIComponent(last) : ''));
  source.addEventListener('ready', (message) => { last = message.lastEventId; });
  source.addEventListener('lost', (message) => tell(message, true));
  source.addEventListener('events', (message) => tell(message, false));
  // What ended it, a login that is over or a role that was taken, is said by the next request of the page.
  source.addEventListener('end', close);
}

function close() {
  if (source) source.close();
  source = null;
}

// tell hands on what kinds of objects have changed, one for each change, or that anything may have.
function tell({ data, lastEventId }, anything) {
  last = lastEventId;
  const kinds = anything ? [] : JSON.parse(data).items.map((event) => event.object_kind);
  dispatchEvent(new CustomEvent('happened', { detail: { anything, kinds } }));
}

// calmly calls something soon after it was asked for, and at most once in a while, however often it is asked for: what takes long is
// called the less often. What is asked for while it runs may have come too late for it, so it runs once more.
export function calmly(run, rest = 1500, soon = 150) {
  let [waiting, running, again] = [false, false, false];
  let next = 0;
  const call = () => {
    again = running;
    if (waiting) return;
    waiting = true;
    setTimeout(async () => {
      const began = Date.now();
      running = true;
      await run();
      next = Date.now() + Math.max(rest, 5 * (Date.now() - began));
      [waiting, running] = [false, false];
      if (again) call();
    }, Math.max(soon, next - Date.now()));
  };
  return call;
}

// difference says in words what became of things: both maps are of ids to what stood there.
export function difference(before, after) {
  const come = [...after.keys()].filter((id) => !before.has(id)).length;
  const changed = [...after].filter(([id, now]) => before.has(id) && before.get(id) !== now).length;
  const gone = [...before.keys()].filter((id) => !after.has(id)).length;
  return [[come, 'new'], [changed, 'changed'], [gone, 'gone']].filter(([n]) => n).map(([n, word]) => n + ' ' + word).join(', ');
}
