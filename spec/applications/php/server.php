<?php
/** Where the Redis is that an application is tried with, by the variables that the runner sets. */
const HOST = '127.0.0.1';
define('PORT', (int) getenv('REDIS_PORT'));
define('DATABASE', (int) getenv('REDIS_DATABASE'));

function expect($is, $shouldBe, string $what): void
{
    if ($is === $shouldBe) return;
    fwrite(STDERR, "$what: " . json_encode($is) . ' is not ' . json_encode($shouldBe) . "\n");
    exit(1);
}
