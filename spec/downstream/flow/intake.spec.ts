/** Whether a client's socket is read. */
import { expect } from 'chai'
import { Intake } from '../../../lib/downstream/flow/intake.ts'

describe('Intake', () => {
  let calls: string[]
  let count: { pauses: number }
  let intake: Intake

  beforeEach(() => {
    calls = []
    count = { pauses: 0 }
    intake = new Intake(count)
    intake.start({ pause: () => calls.push('pause'), resume: () => calls.push('resume') })
  })

  it('pauses once, and resumes what was paused', () => {
    intake.resume()
    intake.pause()
    intake.pause()
    expect(intake.isPaused).to.equal(true)
    intake.resume()
    intake.resume()
    expect(calls).to.deep.equal(['pause', 'resume'])
    expect(count.pauses).to.equal(1)
  })

  it('is held for a large request until there is room for that', () => {
    intake.hold()
    intake.hold()
    expect(intake.isHeld).to.equal(true)
    intake.release(true)
    expect(intake.isHeld).to.equal(false)
    expect(intake.isFirst).to.equal(true)
    intake.release(false)
    expect(intake.isFirst).to.equal(false)
    expect(calls).to.deep.equal(['pause', 'resume'])
  })

  it('is not held while it is paused, and stays paused when it is held no more', () => {
    intake.pause()
    intake.hold()
    expect(intake.isHeld).to.equal(false)
    intake.resume()
    intake.hold()
    intake.pause()
    intake.release(false)
    expect(calls).to.deep.equal(['pause', 'resume', 'pause', 'pause'])
  })

  it('leaves a socket alone that has ended', () => {
    intake.pause()
    intake.end()
    intake.resume()
    expect(calls).to.deep.equal(['pause'])
  })
})
