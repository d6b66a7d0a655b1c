"""django-cacheops: queries from the cache, emptied by a save, a cached function, a template of it."""
import django
from django.conf import settings
from server import DATABASE, HOST, PORT, done

settings.configure(
    DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}},
    INSTALLED_APPS=['cacheops'],
    CACHEOPS_REDIS={'host': HOST, 'port': PORT, 'db': DATABASE},
    CACHEOPS={'*.*': {'ops': 'all', 'timeout': 600}},
    DEFAULT_AUTO_FIELD='django.db.models.AutoField',
)
django.setup()

from cacheops import cached, invalidate_all, invalidate_obj  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402


class Author(models.Model):
    name = models.CharField(max_length=20)

    class Meta:
        app_label = 'cacheops'


with connection.schema_editor() as editor:
    editor.create_model(Author)


def asked(question):
    """The answer, and how many queries the database was asked."""
    with CaptureQueriesContext(connection) as queries:
        return question(), len(queries)


def names():
    return sorted(author.name for author in Author.objects.filter(name__startswith='a'))


ada = Author.objects.create(name='ada')
assert asked(names) == (['ada'], 1)
assert asked(names) == (['ada'], 0)
Author.objects.create(name='ann')
assert asked(names) == (['ada', 'ann'], 1)
ada.name = 'bea'
ada.save()
assert asked(names) == (['ann'], 1)
assert asked(lambda: Author.objects.count()) == (2, 1)
assert asked(lambda: Author.objects.count()) == (2, 0)
assert asked(lambda: Author.objects.get(pk=ada.pk).name) == ('bea', 1)
assert asked(lambda: Author.objects.get(pk=ada.pk).name) == ('bea', 0)
invalidate_obj(ada)
assert asked(lambda: Author.objects.get(pk=ada.pk).name) == ('bea', 1)

calls = []


@cached(timeout=600)
def double(number):
    calls.append(number)
    return number * 2


assert [double(1), double(1)] == [2, 2] and calls == [1]
double.invalidate(1)
assert double(1) == 2 and calls == [1, 1]
invalidate_all()
assert asked(names) == (['ann'], 1)
done()
