"""Where the Redis is that an application is tried with, by the variables that the runner sets."""
import os
import threading

HOST = '127.0.0.1'
PORT = int(os.environ['REDIS_PORT'])
DATABASE = int(os.environ['REDIS_DATABASE'])
URL = f'redis://{HOST}:{PORT}/{DATABASE}'


def in_background(function, *arguments):
    """A thread that does not keep the program from ending."""
    threading.Thread(target=function, args=arguments, daemon=True).start()


def done():
    """Workers have threads and processes: what was to be shown has been shown."""
    os._exit(0)
