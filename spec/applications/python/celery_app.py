"""Celery: results, a group, a chord, a retry, an ETA, priorities, two queues, inspect, revoke."""
from celery import Celery, chord, group
from celery.contrib.testing.worker import start_worker
from kombu import Queue
from server import URL, done

app = Celery('sums', broker=URL, backend=URL)
app.conf.update(
    task_queues=[Queue(name) for name in ('celery', 'low')],
    task_routes={'low': {'queue': 'low'}},
    broker_transport_options={'priority_steps': [0, 3, 6, 9], 'queue_order_strategy': 'priority'},
    worker_hijack_root_logger=False,
    result_chord_retry_interval=0.1,
)


@app.task(name='double')
def double(number):
    return number * 2


@app.task(name='low')
def low(number):
    return number * 3


@app.task(name='total')
def total(numbers):
    return sum(numbers)


@app.task(name='fails_once', bind=True, max_retries=1)
def fails_once(self, number):
    if self.request.retries == 0:
        raise self.retry(countdown=0.1)
    return number * 2


PATIENCE = {'timeout': 120}
with start_worker(app, pool='threads', concurrency=2, perform_ping_check=False, shutdown_timeout=60):
    assert double.delay(1).get(**PATIENCE) == 2
    assert low.delay(1).get(**PATIENCE) == 3
    assert double.apply_async([2], priority=3).get(**PATIENCE) == 4
    assert double.apply_async([3], countdown=0.1).get(**PATIENCE) == 6
    assert fails_once.delay(4).get(**PATIENCE) == 8
    assert group(double.s(number) for number in (5, 6))().get(**PATIENCE) == [10, 12]
    assert chord(double.s(number) for number in (7, 8))(total.s()).get(**PATIENCE) == 30
    assert list(app.control.inspect(timeout=5, limit=1).ping().values()) == [{'ok': 'pong'}]
    later = double.apply_async([9], countdown=3600)
    later.revoke()
    assert later.state == 'PENDING'
done()
