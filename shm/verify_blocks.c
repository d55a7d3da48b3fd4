/* Block words (I1, I6).
 *
 * An extent is walked from head to head. Only the owner of a run writes into it, and changes its head before it gives the run
 * away; so while a head stays, what was seen inside the run, and that another head begins behind it, is true. When something looks wrong, the
 * words it was judged by are read again: changed, the extent is walked anew. They are read as head, word, head: the tag counts 256 changes
 * and begins anew where a run was merged away, so the very same head may come back during a walk; but not while another word that
 * contradicts it stays. */
#include "shm/verify.h"

#define WALKS_MAX 64u /* of an extent that changes under the walk, in one look */

struct extent_walk {
    struct adit_verifier *v;
    const struct adit_base *segment;
    uint32_t number; /* of the segment */
    uint32_t first, end;
    uint32_t head;  /* the run walked last; head_word 0: none */
    uint64_t head_word;
    uint64_t granules[ADIT_BLOCK_STATES]; /* by state; 0: in no run */
    uint64_t blocks;
};

static uint64_t word_at(const struct extent_walk *w, uint32_t i) { return adit_load_acquire(&w->segment->words[i]); }

/* The granule as places name it: counted from the segment's start. */
static uint32_t granule(const struct extent_walk *w, uint32_t i) { return w->segment->first + i; }

static bool is_run(const struct extent_walk *w, uint32_t i, uint64_t word)
{
    uint32_t n = adit_word_granules(word);
    return adit_word_state(word) >= ADIT_BLOCK_FREE && adit_word_state(word) < ADIT_BLOCK_STATES && n && n <= w->end - i;
}

/* True when a word and the head it was judged by (head_word 0: none) are as they were, together. */
static bool are_still(const struct extent_walk *w, uint32_t head, uint64_t head_word, uint32_t i, uint64_t word)
{
    bool was = !head_word || word_at(w, head) == head_word;
    return was && word_at(w, i) == word && (!head_word || word_at(w, head) == head_word);
}

/* Words inside the run [i, i + n): 0, or claimed by who has claimed the run, and is splitting or merging. False: changed under us. */
static bool look_inside(struct extent_walk *w, uint32_t i, uint64_t word)
{
    uint32_t n = adit_word_granules(word);
    for (uint32_t k = i + 1; k < i + n; k++) {
        uint64_t inside = adit_load_relaxed(&w->segment->words[k]); /* relaxed: the head is read again behind an acquire */
        if (!inside)
            continue;
        inside = word_at(w, k);
        bool is_work = adit_word_state(word) == ADIT_BLOCK_CLAIMED && adit_word_state(inside) == ADIT_BLOCK_CLAIMED &&
                       adit_word_owner(inside) == adit_word_owner(word);
        if (!inside || (is_work && !w->v->quiet))
            continue;
        if (!are_still(w, i, word, k, inside))
            return false;
        adit_finding_add(w->v->findings, "I1", "segment %u granule %u|a head (%s) inside the run of %u granules (%s) at granule %u",
                         w->number, granule(w, k), adit_verify_state_name(inside), n, adit_verify_state_name(word), granule(w, i));
    }
    return true;
}

/* Who owns the run at i, by its state. */
static void look_at_owner(struct extent_walk *w, uint32_t i, uint64_t word)
{
    enum adit_block_state state = adit_word_state(word);
    uint32_t owner = adit_word_owner(word);
    const char *fault = NULL;
    if (state == ADIT_BLOCK_FREE && owner)
        fault = "and has an owner";
    else if ((state == ADIT_BLOCK_CLAIMED || state == ADIT_BLOCK_LOANED) && !owner)
        fault = state == ADIT_BLOCK_LOANED ? "to nobody" : "by nobody";
    else if (state == ADIT_BLOCK_CLAIMED && w->v->quiet)
        fault = "and nobody is at work on it";
    else if (state == ADIT_BLOCK_RETIRED && !owner && w->v->quiet &&
             !adit_load_acquire(&w->v->arena->control->orphanings))
        fault = "by nobody, and no reclaimer is told of it";
    else if (state != ADIT_BLOCK_FREE && state != ADIT_BLOCK_PUBLISHED && owner)
        fault = adit_verify_owner(w->v, owner);
    if (fault && word_at(w, i) == word)
        adit_finding_add(w->v->findings, "I5", "segment %u granule %u|%s, %s", w->number, granule(w, i),
                         adit_verify_state_name(word), fault);
}

/* A stretch from i on where no run begins; how long it is. 0: it has changed under us. */
static uint32_t look_at_gap(struct extent_walk *w, uint32_t i, uint64_t word)
{
    uint32_t n = 1;
    while (i + n < w->end && !is_run(w, i + n, word_at(w, i + n)))
        n++;
    if (!are_still(w, w->head, w->head_word, i, word))
        return 0;
    adit_finding_add(w->v->findings, "I1", "segment %u granule %u|no run begins here (%s, length %u), nor in the next %u granules",
                     w->number, granule(w, i), adit_verify_state_name(word), adit_word_granules(word), n - 1);
    w->granules[0] += n;
    return n;
}

/* False: the extent changed under the walk where something looked wrong. */
static bool walk(struct extent_walk *w)
{
    w->head_word = w->blocks = 0;
    for (uint32_t s = 0; s < ADIT_BLOCK_STATES; s++)
        w->granules[s] = 0;
    for (uint32_t i = w->first; i < w->end;) {
        uint64_t word = word_at(w, i);
        uint32_t n = adit_word_granules(word);
        if (is_run(w, i, word)) {
            if (!look_inside(w, i, word))
                return false;
            look_at_owner(w, i, word);
            w->granules[adit_word_state(word)] += n;
            w->blocks += adit_word_state(word) != ADIT_BLOCK_FREE;
            w->head = i;
            w->head_word = word;
        } else {
            n = look_at_gap(w, i, word);
            if (!n)
                return false;
            w->head_word = 0;
        }
        i += n;
    }
    return true;
}

static void look_at_segment(struct adit_verifier *v, uint32_t number)
{
    const struct adit_base *g = &v->arena->segments[number];
    uint64_t used = 0, free_n = 0;
    bool is_whole = true;
    for (uint32_t e = 0; e < g->extents; e++) {
        uint64_t end = ((uint64_t)e + 1) << ADIT_EXTENT_SHIFT;
        struct extent_walk w = {.v = v, .segment = g, .number = number, .first = e << ADIT_EXTENT_SHIFT,
                                .end = end < g->granules ? (uint32_t)end : g->granules};
        bool done = false;
        for (uint32_t i = 0; i < WALKS_MAX && !done; i++)
            done = walk(&w);
        is_whole &= done;
        free_n += w.granules[ADIT_BLOCK_FREE];
        used += w.granules[ADIT_BLOCK_CLAIMED] + w.granules[ADIT_BLOCK_LOANED] + w.granules[ADIT_BLOCK_PUBLISHED] + w.granules[ADIT_BLOCK_RETIRED];
        v->walked.blocks += w.blocks;
    }
    v->walked.free_bytes += free_n << ADIT_GRANULE_SHIFT;
    v->walked.block_bytes += used << ADIT_GRANULE_SHIFT;
    if (is_whole && free_n + used != g->granules)
        adit_finding_add(v->findings, "I6", "segment %u|%llu granules free and %llu used do not make up its %u", number,
                         (unsigned long long)free_n, (unsigned long long)used, g->granules);
}

void adit_verify_blocks(struct adit_verifier *v)
{
    for (uint32_t s = 0; s < v->arena->segments_n; s++)
        look_at_segment(v, s);
}
