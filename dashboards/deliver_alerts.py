#!/usr/bin/python3
"""Delivers capforecast's alerts: to a webhook, an SMTP server, Alertmanager, or several of them.

    deliver_alerts.py --dsn 'dbname=app' --webhook https://example.com/hook
    deliver_alerts.py --dsn 'dbname=app' --smtp mail.example.com:25 --mail-from db@example.com --mail-to ops@example.com
    deliver_alerts.py --dsn 'dbname=app' --alertmanager http://localhost:9093/api/v2/alerts

Wakes up by NOTIFY, and every --every seconds anyway, which is all that a transaction pooler
allows (--no-listen). A message is settled after it was delivered: whoever is killed in between
delivers it again later, with the same id (Idempotency-Key, Message-ID). Needs psycopg2 and the
right to call take_alerts() and settle_alert().
"""
import argparse, json, select, smtplib, sys, time, urllib.request
from email.message import EmailMessage

import psycopg2


def post(url, message_id, payload):
    request = urllib.request.Request(url, json.dumps(payload).encode(), {
        'Content-Type': 'application/json', 'Idempotency-Key': f'capforecast-{message_id}'})
    urllib.request.urlopen(request, timeout=10).close()


def mail(options, message_id, body):
    subject, _, text = body.partition('\n\n')
    message = EmailMessage()
    message['From'], message['To'] = options.mail_from, options.mail_to
    message['Subject'], message['Message-ID'] = ' '.join(subject.split())[:200], f'<capforecast-{message_id}@{options.mail_from.rpartition("@")[2]}>'
    message.set_content(text)
    host, _, port = options.smtp.partition(':')
    with smtplib.SMTP(host, int(port or 25), timeout=10) as server:
        server.send_message(message)


def deliver(connection, channel, send):
    with connection.cursor() as cursor:
        cursor.execute('SELECT outbox_id, payload, body FROM capforecast.take_alerts(%s)', (channel,))
        taken = cursor.fetchall()
        for message_id, payload, body in taken:
            try:
                send(message_id, payload, body)
                cursor.execute('SELECT capforecast.settle_alert(%s, true)', (message_id,))
            except OSError as problem:      # what the network raises; smtplib's errors are OSErrors, too
                print(f'{channel} {message_id}: {problem}', file=sys.stderr)
                cursor.execute('SELECT capforecast.settle_alert(%s, false, %s)', (message_id, str(problem)))
    return len(taken)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--dsn', required=True)
    for name in 'webhook', 'alertmanager', 'smtp', 'mail-from', 'mail-to':
        parser.add_argument('--' + name)
    parser.add_argument('--every', type=float, default=60)
    parser.add_argument('--no-listen', action='store_true')
    parser.add_argument('--once', action='store_true', help='deliver what is there, and end')
    options = parser.parse_args()
    channels = {}
    if options.webhook:
        channels['webhook'] = lambda i, payload, body: post(options.webhook, i, payload)
    if options.alertmanager:
        channels['alertmanager'] = lambda i, payload, body: post(options.alertmanager, i, payload)
    if options.smtp:
        channels['mail'] = lambda i, payload, body: mail(options, i, body)
    if not channels:
        parser.error('give at least one of --webhook, --smtp, --alertmanager')
    connection = psycopg2.connect(options.dsn)
    connection.autocommit = True
    if not options.no_listen:
        connection.cursor().execute('LISTEN capforecast')
    while True:
        while sum([deliver(connection, channel, send) for channel, send in channels.items()]):
            pass
        if options.once:
            return
        if options.no_listen:
            time.sleep(options.every)
        elif select.select([connection], [], [], options.every)[0]:
            connection.poll()
            connection.notifies.clear()


main()
