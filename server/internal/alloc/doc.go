// Package alloc decides where a block goes inside a pool: it picks a free block, splits it, and merges it back on release.
//
// A pool is a binary tree of address blocks, and its free space is the set of
// leaves that nobody holds. Two halves of one block are buddies; the set is
// canonical, which means that two buddies are never both in it, because they
// would be their parent. Placing a /26 in a free /24 carves it out and leaves
// one buddy of each length on the way down:
//
//	10.0.0.0/24   |................................|   one leaf, free
//
//	Place /26     |########|.......|...............|
//	               held     .64/26  .128/25            two leaves, free
//
//	Return        |........|.......|...............|
//	               \__ buddies ___/                    /26 + /26 = /25
//	               \________ buddies ____________/     /25 + /25 = /24
//
// Return runs the same steps backwards: as long as the buddy of what comes
// back is a leaf, that leaf goes and the two are one block of the next length
// up, but never above the root of the pool.
//
// This is written once, in Place, PlaceAt and Return, over the Leaves
// interface: the set of free blocks, wherever it is kept. Tree keeps it in
// memory; a storage may keep one row for each leaf. Which leaf a request takes
// is the Strategy, and a tie goes to the lowest address, so that two
// implementations in the same state always choose the same block.
//
// Blocks are masked prefixes of one family, IPv4 or IPv6, from /0 to the
// length of an address. Addresses are never enumerated, so a /0 of IPv6 costs
// what a /24 does. IPv4-mapped IPv6 addresses are the caller's to refuse.
//
// # Tree
//
// A Tree reads six bits of address at a time. Each node has 64 slots in
// bitmaps, and each slot is free, wholly held, held in one smaller block that
// is written in place, or held in several, which are a node of their own:
//
//	node at /8    slot:   0     1     2     3    ...   63      each a /14
//	              used    #     .     .     .           #
//	              hole    .     o     .     .           .      o = 10.4.7.0/24
//	              kid     .     .     k     .           .      k = node at /14
//
// The free blocks are not stored: they are what the bitmaps leave out. Folding
// a bitmap in pairs tells in six steps which lengths its maximal free blocks
// have. NoServerLock each kid stands the set of lengths free inside it, so that one
// bit test reports whether a subtree has what is wanted, one word says that
// nothing fits, and a search goes straight down.
package alloc
