<?php
/** Laravel's queue: jobs that are pushed, in bulk, later, released, deleted. */
require 'Illuminate/Queue/autoload.php';
require 'Illuminate/Redis/autoload.php';
require __DIR__ . '/server.php';

use Illuminate\Container\Container;
use Illuminate\Queue\RedisQueue;
use Illuminate\Redis\RedisManager;

$app = Container::getInstance();
$redis = new RedisManager($app, getenv('LARAVEL_CLIENT') ?: 'phpredis', [
    'options' => ['prefix' => 'laravel_database_'],
    'default' => ['host' => HOST, 'port' => PORT, 'database' => DATABASE],
]);
$queue = new RedisQueue($redis, 'default', 'default', 60);
$queue->setContainer($app);
foreach ([1, 2] as $number) $queue->push('double', ['number' => $number]);
$queue->bulk(['double', 'double'], ['number' => 3]);
$queue->later(1, 'double', ['number' => 4]);
expect($queue->size(), 5, 'size');
$sum = 0;
$first = $queue->pop();
expect($first->payload()['data']['number'], 1, 'first');
$first->release();
for ($taken = 0; $taken < 5; ) {
    $job = $queue->pop();
    if ($job === null) {
        usleep(50_000);
        continue;
    }
    $sum += $job->payload()['data']['number'];
    $job->delete();
    $taken++;
}
expect($sum, 13, 'sum');
expect($queue->size(), 0, 'size at the end');
$queue->push('double', ['number' => 5]);
expect($queue->clear('default'), 1, 'cleared');
