/** rsmq: a queue, messages that are received, hidden, popped and deleted, counts. */
import { deepEqual, equal } from 'node:assert/strict'
import RedisSMQ from 'rsmq'
import { database, done, host, port } from './server.mjs'

const rsmq = new RedisSMQ({ host, port, db: database })
const qname = 'letters'
equal(await rsmq.createQueueAsync({ qname }), 1)
const ids = []
for (const message of ['a', 'b', 'c']) ids.push(await rsmq.sendMessageAsync({ qname, message }))
const first = await rsmq.receiveMessageAsync({ qname })
deepEqual([first.message, first.id, first.rc], ['a', ids[0], 1])
equal(await rsmq.changeMessageVisibilityAsync({ qname, id: first.id, vt: 60 }), 1)
equal((await rsmq.popMessageAsync({ qname })).message, 'b')
equal(await rsmq.deleteMessageAsync({ qname, id: first.id }), 1)
const { msgs, totalsent, totalrecv } = await rsmq.getQueueAttributesAsync({ qname })
deepEqual({ msgs, totalsent, totalrecv }, { msgs: 1, totalsent: 3, totalrecv: 2 })
deepEqual(await rsmq.listQueuesAsync(), [qname])
equal(await rsmq.deleteQueueAsync({ qname }), 1)
done()
