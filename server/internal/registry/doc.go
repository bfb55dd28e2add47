// Package registry holds the use cases that change who has which space. Each exported method that changes something is one
// transaction with at least one event in it: lock the space, look, decide, write, record. It is the only writer of prefixes.
//
// # Terms
//
//	space      what blocks are taken from: a pool, or the root of a scope
//	prefix     a block that is taken, with the key of what owns it: a pool, an allocation, a reservation or a hold
//	hold       a block that a plan was promised for a name and a length. Kept while it has its prefix; past its end it keeps it
//	           until the space is needed; lost when it was: the row then remembers what was promised
//	draft      a pool or a scope that only a plan knows: a hold of a pool, in which holds and drafts may be
//	promise    what a plan that named itself was promised, remembered past the hold
//	last block what a name had when it left, so that destroy and apply give the same CIDR
//	holder     the Terraform state or pipeline that a plan is of, whoever runs it
//	run        one command that plans or applies; what earlier runs of a holder were promised is outdated, and gives way
//	growth     what a plan keeps for a pool to grow over: drafts next to it, in which the plan's holds for that pool may be
//	encloses   of a new pool: the pools that stand in its block become its children, and nothing in them changes
//	inherits   of a hold: its block is that of something else still: of the allocation which it replaces, or of what its plan leaves
//	leaving    what a plan releases, and is room for what the same plan puts there (leaving.go)
//
// # Locks
//
// A change locks the space that it takes from or gives to, by the row of the pool or scope, and looks only then. Whoever needs
// several takes them in one order: the scope before pools, a parent before its children, a pool before what is in it; of two spaces
// of a move, and of pools that are enclosed, the one that may contain the other, then by key; of two scopes by key. The name of a request by selector is tried for
// and never waited for with a lock in hand. So nobody waits in a circle; what remains (a move and a draft that is dropped elsewhere)
// PostgreSQL ends and the store repeats.
//
// # Placing
//
// A request for a block is answered by the first of these:
//
//  1. the CIDR that it names: from free space, from what expired, and from the caller's own hold of the name
//  2. what a plan was promised for this name and length: the hold becomes the block, which is never free in between
//  3. what the name had last with this length, if it is free
//  4. what the strategy of the request, or of the pool, picks from free space
//  5. the space of what expired, the oldest first and only where it helps: reservations, holds, drafts
//  6. where a plan asks, what earlier runs of its holder were promised: of the same name, then what was not renewed the longest, then
//     what was asked for by its CIDR
//
// A request that names its CIDR takes what 5 and 6 name from there. What its own run was promised by size moves out of its way, and the
// request is refused once with plan_again: the old place may be in the plan already. Nothing gives way to an apply but what expired, and
// never what another holder was promised.
//
// A block that the request excludes is none of these: a promise of it is given up, as where the request names another CIDR.
//
// # The plan protocol
//
// A plan asks for the hold of a name and length; asking again renews it. What it is told depends on what is known of the name and on
// what it says of itself: it applies (Applying true), it plans (false), or it cannot tell (nil). A plan that names itself (plan_id) and
// was promised a block is one that applies, and one that was promised nothing plans. choose.Decide decides, and its test has every case:
//
//	known of the name          plans             cannot tell              applies
//	nothing                    placed            placed                   what it was promised before the draft was dropped, or placed
//	a hold of its own          renewed           renewed                  renewed
//	a hold of somebody else    hold_conflict     hold_conflict            hold_conflict
//	an expired hold            renewed           renewed                  renewed
//	lost, the block is free    placed there      placed there             placed there
//	lost, the block is taken   placed anew       hold_lost once, then     hold_lost each time
//	                                             placed anew
//	promised another block     placed anew       placed anew              hold_lost: a newer plan has the name
//
// Naming the CIDR asks for that block: it is the hold's, or the plan is another by now and the hold is placed anew there. An allocation
// of the name and length takes the hold's block; when that is lost and taken it is hold_lost, once to one that names a size and each
// time to one that names the CIDR. A refusal that changed what is known is kept under the request's Idempotency-Key and told again to
// that, whatever has become of the name.
package registry
