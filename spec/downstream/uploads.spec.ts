import { expect } from 'chai'
import { Uploads } from '../../lib/downstream/uploads.ts'
import { UPLOAD_IDLE_MS } from '../../lib/limits.ts'

class FakeUploader {
  uploadBytes: number
  uploadMissingBytes: number
  held = false

  constructor(uploadBytes: number, uploadMissingBytes: number) {
    this.uploadBytes = uploadBytes
    this.uploadMissingBytes = uploadMissingBytes
  }

  holdUpload(): void {
    this.held = true
  }

  resumeUpload(): void {
    this.held = false
  }
}

/** Of 1000 bytes in all. */
function looks(...clients: FakeUploader[]) {
  const uploads = new Uploads()
  const set = new Set(clients)
  const held = () => clients.map((client) => client.held)
  const look = (roomBytes: number, nowMs = 0): boolean[] => {
    uploads.look(set, roomBytes, 1000, nowMs)
    return held()
  }
  return { uploads, look, set }
}

describe('Uploads', () => {
  it('all go on while there is room', () => {
    const { look } = looks(new FakeUploader(100, 100), new FakeUploader(200, 100))
    expect(look(300)).to.deep.equal([false, false])
  })

  it('go on one by one where there is little, the one nearest to its end first', () => {
    const idle = new FakeUploader(0, 0)
    const { look } = looks(new FakeUploader(400, 150), new FakeUploader(300, 100), idle)
    expect(look(200)).to.deep.equal([true, false, false])
  })

  it('give the next one its turn when one is complete', () => {
    const [one, two] = [new FakeUploader(400, 150), new FakeUploader(300, 100)]
    const { look } = looks(one, two)
    look(200)
    two.uploadBytes = 390
    expect(look(110)).to.deep.equal([true, false])
    two.uploadBytes = 0
    expect(look(200)).to.deep.equal([false, false])
  })

  it('wait while what is complete is on its way, and go on when that has gone', () => {
    const { look } = looks(new FakeUploader(400, 150))
    expect(look(100)).to.deep.equal([true])
    expect(look(160)).to.deep.equal([false])
  })

  it('have one go on at last where there is not room for any', () => {
    const { look } = looks(new FakeUploader(450, 150), new FakeUploader(450, 160))
    expect(look(100, 0)).to.deep.equal([true, true])
    expect(look(100, UPLOAD_IDLE_MS - 1)).to.deep.equal([true, true])
    expect(look(100, UPLOAD_IDLE_MS)).to.deep.equal([false, true])
  })

  it('take the turn from one that sends nothing', () => {
    const { look, uploads } = looks(new FakeUploader(400, 50), new FakeUploader(400, 60))
    look(200, 0)
    const first = uploads.first
    expect(look(200, UPLOAD_IDLE_MS)).to.deep.equal([true, false])
    expect(uploads.first).to.not.equal(first)
  })

  it('all go on when there is room again, whoever had held them', () => {
    const client = new FakeUploader(400, 50)
    client.held = true
    const { look, uploads } = looks(client)
    expect(look(400)).to.deep.equal([false])
    expect(uploads.first).to.equal(undefined)
  })

  it('forget one that is gone', () => {
    const [one, two] = [new FakeUploader(400, 50), new FakeUploader(400, 60)]
    const { look, set, uploads } = looks(one, two)
    look(200)
    expect(uploads.first).to.equal(one)
    set.delete(one)
    look(200)
    expect(uploads.first).to.equal(two)
  })
})
