<?php
/** Symfony's RedisTagAwareAdapter: items with tags that are invalidated. */
require 'Symfony/Component/Cache/autoload.php';
require __DIR__ . '/server.php';

use Symfony\Component\Cache\Adapter\RedisTagAwareAdapter;

$connection = RedisTagAwareAdapter::createConnection('redis://' . HOST . ':' . PORT . '/' . DATABASE);
$cache = new RedisTagAwareAdapter($connection, 'pages');
$names = ['a', 'b', 'c', 'd', 'e', 'f'];
foreach ($names as $at => $name) {
    $item = $cache->getItem($name)->set(strtoupper($name))->expiresAfter(600);
    expect($cache->save($item->tag(['all', $at % 2 ? 'odd' : 'even'])), true, "save $name");
}
expect($cache->getItem('a')->get(), 'A', 'get');
expect($cache->invalidateTags(['odd']), true, 'invalidateTags');
$hits = array_values(array_filter($names, fn ($name) => $cache->getItem($name)->isHit()));
expect($hits, ['a', 'c', 'e'], 'left after one tag');
expect($cache->deleteItem('a'), true, 'delete');
expect($cache->invalidateTags(['all']), true, 'invalidateTags of all');
$hits = array_values(array_filter($names, fn ($name) => $cache->getItem($name)->isHit()));
expect($hits, [], 'left after both tags');
