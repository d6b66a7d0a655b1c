"""django-rq: a worker of two queues, results, a scheduled job, statistics."""
import datetime

from server import DATABASE, HOST, PORT, done


def double(number):
    return number * 2


if __name__ == '__main__':
    import django
    from django.conf import settings

    at = {'HOST': HOST, 'PORT': PORT, 'DB': DATABASE}
    settings.configure(RQ_QUEUES={'default': at, 'low': at}, INSTALLED_APPS=['django_rq'], USE_TZ=True)
    django.setup()

    import django_rq
    import django_rq_app
    from django_rq.utils import get_statistics
    from rq import SimpleWorker

    queues = [django_rq.get_queue(name) for name in ('default', 'low')]
    jobs = [django_rq.enqueue(django_rq_app.double, 1), queues[1].enqueue(django_rq_app.double, 2)]
    later = queues[1].enqueue_in(datetime.timedelta(hours=1), django_rq_app.double, 3)
    assert queues[1].scheduled_job_registry.count == 1
    worker = django_rq.get_worker('default', 'low', worker_class=SimpleWorker)
    worker.work(max_jobs=2, logging_level='ERROR')
    for job in jobs:
        job.refresh()
    assert [job.result for job in jobs] == [2, 4]
    finished = [queue['finished_jobs'] for queue in get_statistics()['queues']]
    assert finished == [1, 1]
    later.cancel()
    done()
