// What a new user can paste into a shell to see the first pool appear.

export function firstCommands(origin, scope) {
  const named = scope === 'default' ? {} : { scope };
  const id = (name) => (scope === 'default' ? name : scope + '.' + name);
  return [
    { title: 'Give CloudPAM a range of yours:', command: post(origin, 'pools', { ...named, name: 'corp', cidr: '10.0.0.0/8' }) },
    { title: 'Cut a pool out of it by size, not by address:', command: post(origin, 'pools', { ...named, name: 'prod', parent: id('corp'), prefix_length: 16 }) },
    { title: 'Hand out the first block:', command: post(origin, 'allocations', { pool: id('prod'), name: 'app', prefix_length: 24 }) },
  ];
}

function post(origin, path, body) {
  return [
    'curl -sS ' + origin + '/api/v1/' + path + ' \\',
    '  -H "Authorization: Bearer $CLOUDPAM_TOKEN" \\',
    '  -H "Content-Type: application/json" \\',
    "  -d '" + JSON.stringify(body) + "'",
  ].join('\n');
}
