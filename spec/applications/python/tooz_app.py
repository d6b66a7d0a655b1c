"""tooz: three groups, two members, capabilities, a leader, a lock, heartbeats."""
from server import HOST, PORT, DATABASE, done
from tooz import coordination

URL = f'redis://{HOST}:{PORT}?db={DATABASE}&timeout=60'
one, other = (coordination.get_coordinator(URL, name) for name in (b'one', b'other'))
for member in (one, other):
    member.start()
GROUPS = {b'team', b'crew', b'band'}
for group in GROUPS:
    one.create_group(group).get()
assert set(one.get_groups().get()) == GROUPS
for member in (one, other):
    member.join_group(b'team', capabilities=b'can').get()
assert set(one.get_members(b'team').get()) == {b'one', b'other'}
assert one.get_member_capabilities(b'team', b'other').get() == b'can'
one.heartbeat()
elected = []
one.watch_elected_as_leader(b'team', elected.append)
one.run_watchers()
assert len(elected) == 1
lock = one.get_lock(b'door')
with lock:
    assert not other.get_lock(b'door').acquire(blocking=False)
assert other.get_lock(b'door').acquire(blocking=False)
for member in (one, other):
    member.leave_group(b'team').get()
for group in GROUPS:
    one.delete_group(group).get()
assert one.get_groups().get() == []
for member in (one, other):
    member.stop()
done()
