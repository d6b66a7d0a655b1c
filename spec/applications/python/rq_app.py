"""RQ: a worker of two queues, results, a job that fails once, counts; if asked for, a job that depends on another."""
import os

import redis
from rq import Queue, Retry, SimpleWorker
from rq.job import Job
from server import URL, done

connection = redis.Redis.from_url(URL)
high, low = (Queue(name, connection=connection) for name in ('high', 'low'))
seen = []
# One of six fails once.
JOBS = 7
DEPENDS = os.environ.get('WITH') == 'dependencies'


def double(number):
    return number * 2


def fails_once(number):
    seen.append(number)
    if len(seen) == 1:
        raise ValueError('not the first time')
    return number * 2


if __name__ == '__main__':
    import rq_app  # the module by which the worker finds the functions

    first = high.enqueue(rq_app.double, 1)
    jobs = [
        first,
        low.enqueue(rq_app.double, 2),
        low.enqueue(rq_app.double, 3, depends_on=first if DEPENDS else None),
        low.enqueue(rq_app.fails_once, 4, retry=Retry(max=1)),
        *low.enqueue_many([Queue.prepare_data(rq_app.double, [number]) for number in (5, 6)]),
    ]
    worker = SimpleWorker([high, low], connection=connection)
    worker.work(max_jobs=JOBS, logging_level='ERROR')
    assert [Job.fetch(job.id, connection=connection).result for job in jobs] == [2, 4, 6, 8, 10, 12]
    assert (high.count, low.count) == (0, 0)
    assert low.finished_job_registry.count == 5
    assert {queue.name for queue in Queue.all(connection=connection)} == {'high', 'low'}
    jobs[0].delete()
    low.empty()
    done()
