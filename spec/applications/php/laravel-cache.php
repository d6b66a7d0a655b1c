<?php
/** Laravel's cache: values, several at once, counters, a lock, tags. */
require 'Illuminate/Cache/autoload.php';
require 'Illuminate/Redis/autoload.php';
require __DIR__ . '/server.php';

use Illuminate\Cache\RedisStore;
use Illuminate\Cache\Repository;
use Illuminate\Container\Container;
use Illuminate\Redis\RedisManager;

$redis = new RedisManager(Container::getInstance(), getenv('LARAVEL_CLIENT') ?: 'phpredis', [
    'options' => ['prefix' => 'laravel_database_'],
    'default' => ['host' => HOST, 'port' => PORT, 'database' => DATABASE],
]);
$cache = new Repository(new RedisStore($redis, 'laravel_cache'));
$four = ['a' => 'A', 'b' => 'B', 'c' => 'C', 'd' => 'D'];
expect($cache->putMany($four, 600), true, 'putMany');
expect($cache->many(['a', 'b', 'c', 'd']), $four, 'many');
expect($cache->remember('e', 600, fn () => 'E'), 'E', 'remember');
expect($cache->get('e'), 'E', 'get');
expect($cache->add('e', 'other', 600), false, 'add');
$cache->increment('number', 2);
expect((int) $cache->get('number'), 2, 'increment');
$lock = $cache->lock('door', 10);
expect($lock->get(), true, 'lock');
expect($cache->lock('door', 10)->get(), false, 'second lock');
expect($lock->release(), true, 'release');
$cache->tags(['people', 'artists'])->put('f', 'F', 600);
expect($cache->tags(['people', 'artists'])->get('f'), 'F', 'tagged');
$cache->tags('artists')->flush();
expect($cache->tags(['people', 'artists'])->get('f'), null, 'flushed');
expect($cache->forget('a'), true, 'forget');
expect($cache->get('a'), null, 'forgotten');
