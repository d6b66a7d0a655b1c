# Sidekiq: three queues, jobs in bulk, later, one that fails once, one that dies, statistics.
require 'sidekiq'
require 'sidekiq/api'
require 'sidekiq/cli'

URL = "redis://127.0.0.1:#{ENV.fetch('REDIS_PORT')}/#{ENV.fetch('REDIS_DATABASE')}"
RESULTS = Thread::Queue.new
FAILED = Thread::Queue.new
Redis.silence_deprecations = true
Sidekiq.logger.level = Logger::FATAL
Sidekiq.configure_client { |config| config.redis = { url: URL } }
Sidekiq.options.merge!(queues: %w[high default low], strict: true, concurrency: 2,
                       poll_interval_average: 0.2, timeout: 10)
Sidekiq.redis = { url: URL, size: 10 }

class Double
  include Sidekiq::Worker
  def perform(number) = RESULTS.push(number * 2)
end

class FailsOnce
  include Sidekiq::Worker
  sidekiq_options queue: 'low', retry: 3
  sidekiq_retry_in { 1 }
  def perform(number)
    if FAILED.empty?
      FAILED.push(number)
      raise 'not the first time'
    end
    RESULTS.push(number * 2)
  end
end

class Dies
  include Sidekiq::Worker
  sidekiq_options retry: 0
  def perform = raise('as it should')
end

Double.set(queue: 'high').perform_async(1)
Double.perform_async(2)
Sidekiq::Client.push_bulk('class' => Double, 'queue' => 'low', 'args' => [[3], [4]])
Double.perform_in(0.1, 5)
FailsOnce.perform_async(6)
Dies.perform_async
raise 'queues' unless Sidekiq::Queue.all.map(&:name).sort == %w[default high low]

def until_true
  deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 120
  until yield
    raise 'waited too long' if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline

    sleep 0.5
  end
end

require 'sidekiq/launcher'
launcher = Sidekiq::Launcher.new(Sidekiq.options)
launcher.run
results = Array.new(6) { RESULTS.pop }.sort
raise "results #{results}" unless results == [2, 4, 6, 8, 10, 12]

until_true { Sidekiq::DeadSet.new.size == 1 }
# Counts are written with the heartbeat, every five seconds.
until_true { Sidekiq::Stats.new.processed == 8 }
launcher.stop
stats = Sidekiq::Stats.new
raise "failed #{stats.failed}" unless stats.failed == 2
raise "enqueued #{stats.enqueued}" unless stats.enqueued.zero?

exit!(0)
