/* shm.h - the front header of shm/: what the directories above may include. Start reading at layout.h. */
#ifndef ADIT_SHM_H
#define ADIT_SHM_H

#include "shm/layout.h"
#include "shm/atomics.h"
#include "shm/fault.h"
#include "shm/os.h"
#include "shm/membarrier.h"
#include "shm/segment.h"
#include "shm/arena.h"
#include "shm/event.h"
#include "shm/block.h"
#include "shm/rcu.h"
#include "shm/refset.h"
#include "shm/pin.h"
#include "shm/retire.h"
#include "shm/guest.h"
#include "shm/admit.h"
#include "shm/mirror.h"
#include "shm/proxy.h"
#include "shm/salvage.h"
#include "shm/participant.h"
#include "shm/keeper.h"
#include "shm/rendezvous.h"
#include "shm/bitset.h"
#include "shm/ring.h"
#include "shm/ring_names.h"
#include "shm/samples.h"
#include "shm/robust.h"
#include "shm/image.h"
#include "shm/lock.h"

#endif
