<?php
// One step of the interoperability matrix, done by phpseclib.
require 'phpseclib3/autoload.php';

use phpseclib3\Crypt\PublicKeyLoader;
use phpseclib3\Net\SFTP;

[, $host, $port, $user, $key, $verb, $local, $remote, $other] = $argv;

function must(bool $done): void
{
    global $sftp;
    if (!$done) {
        fwrite(STDERR, implode("\n", $sftp->getSFTPErrors()) . "\n");
        exit(1);
    }
}

$sftp = new SFTP($host, (int) $port, 120);
must($sftp->login($user, PublicKeyLoader::load(file_get_contents($key))));
switch ($verb) {
    case 'put':
        must($sftp->put($remote, $local, SFTP::SOURCE_LOCAL_FILE));
        break;
    case 'resume':
        $start = $sftp->filesize($remote);
        must($sftp->put($remote, $local, SFTP::SOURCE_LOCAL_FILE, $start, $start));
        break;
    case 'rename':
        must($sftp->put($other, $local, SFTP::SOURCE_LOCAL_FILE));
        must($sftp->rename($other, $remote));
        break;
    case 'list':
        $names = $sftp->nlist($remote);
        must($names !== false);
        echo implode("\n", $names), "\n";
        break;
    case 'get':
        must($sftp->get($remote, $local));
        break;
    case 'delete':
        must($sftp->put($remote, $local, SFTP::SOURCE_LOCAL_FILE));
        must($sftp->delete($remote, false));
        break;
    default:
        must(false);
}
